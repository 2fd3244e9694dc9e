#!/usr/bin/env python3
"""scaling.py: how long a training step takes on several machines, by a model of arithmetic, latency and bandwidth (docs/SCALING.md).

    bench/scaling.py --slice-ms 27.8 --batch 160 --sums 30 --words 5709 --gradient-mb 7.8 --latency-us 2 --gbit 100

Everything comes from a run on one machine: the time of a slice from `hardy bench step`, sums and megabytes from the last lines of a training on
two ranks (`mpirun -n 2 hardy train`). Latency and bandwidth are the network's, between two machines. Only the standard library is needed.
"""
import argparse
import math


def step_ms(ranks, a):
    """Milliseconds of a step: arithmetic of a rank's slices, its sums, and what of the gradients the backward pass does not hide."""
    work = a.slice_ms * a.batch / ranks
    if ranks == 1:
        return work, work, 0.0, 0.0
    rounds = math.ceil(math.log2(ranks))
    byte_ms = 8e-6 / a.gbit  # of one byte over the wire
    # recursive doubling: every round carries the whole, small message; words are doubles, over all sums of a step
    sums = rounds * (a.sums * a.latency_us * 1e-3 + 8 * a.words * byte_ms)
    # ring, or halving and doubling: each rank sends and receives 2 (R - 1) / R of the gradients
    gradients = 2 * (ranks - 1) / ranks * a.gradient_mb * 1e6 * byte_ms + 2 * rounds * a.latency_us * 1e-3
    # the last pass's backward half is a third of its arithmetic forwards and backwards: two thirds; `hidden` of that
    left = max(0.0, gradients - a.hidden * work * 2 / 3)
    # all wait for the slowest at every sum: the larger of R draws of a step's spread
    late = a.jitter * work * math.sqrt(2 * math.log(ranks))
    return work + sums + left + late, work, sums + late, left


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--slice-ms", type=float, required=True, help="of one slice on one machine, forwards and backwards")
    p.add_argument("--batch", type=int, required=True, help="slices of the whole batch")
    p.add_argument("--sums", type=float, required=True, help="that a step waits for")
    p.add_argument("--words", type=float, required=True, help="numbers in them, together")
    p.add_argument("--gradient-mb", type=float, required=True, help="of a step")
    p.add_argument("--latency-us", type=float, required=True, help="of a small message between two machines")
    p.add_argument("--gbit", type=float, required=True, help="bandwidth between two machines, Gbit/s")
    p.add_argument("--hidden", type=float, default=0.5, help="share of the backward pass beside which gradients travel (0: none)")
    p.add_argument("--jitter", type=float, default=0.01, help="standard deviation of a rank's step, as a share of it")
    p.add_argument("--ranks", default="1,2,4,8,16", help="list of numbers, one rank a machine")
    a = p.parse_args()
    alone = step_ms(1, a)[0]
    print(f"{'ranks':>6}{'slices':>8}{'step ms':>10}{'arithmetic':>12}{'sums, waiting':>15}{'gradients':>11}{'speed-up':>10}{'efficiency':>12}")
    for ranks in map(int, a.ranks.split(",")):
        if a.batch % ranks:
            continue  # hardy refuses it
        total, work, sums, left = step_ms(ranks, a)
        print(f"{ranks:>6}{a.batch // ranks:>8}{total:>10.1f}{work:>12.1f}{sums:>15.2f}{left:>11.2f}{alone / total:>10.2f}{alone / total / ranks:>11.0%}")


if __name__ == "__main__":
    main()
