#!/usr/bin/env python3
"""Seconds until a training reaches a validation Dice: hardy, and a U-Net in PyTorch, one after the other on the same subjects.

    bench/time_to_dice.py ACDC SPLITS [--hardy build/hardy --threads 2 --seed 0 --targets 0.8,0.85 --limit 1800]

ACDC: the challenge's training folder, with one of the subjects of SPLITS (a JSON object with pool and validation) in each of its folders. Each
program reads its scans, trains the ten subjects of the pool that hardy draws by the seed, 3000 steps of 10 slices of 96 x 96 at 2 mm being
its schedule, and looks at the validation subjects every --every steps; the clock runs from the start of its process. Dice: in 3-D on the network's
grid, mean of the scans, then of LV, myocardium and RV. A program ends at the last target, at its last step or at the first look after --limit seconds. Prints a JSON
line for each program and look, then the table. Wants torch and nibabel.

The U-Net in PyTorch: unet_torch.py with five levels, channels last; AdamW without decay, one cycle to 4e-3; any rotation, mirrored, zoom .7 to 1.4,
aspect, shift, a coarse elastic field; grey curve, gamma, window, shade, lower resolution, noise.
"""
import argparse
import csv
import glob
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time

STEPS, BATCH, SIZE, SPACING, RATE = 3000, 10, 96, 2.0, 4e-3
VALUES = {3: 1, 2: 2, 1: 3}  # ACDC's values for LV, myocardium, RV: classes


def read_options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("acdc")
    p.add_argument("splits")
    p.add_argument("--hardy", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "hardy"))
    p.add_argument("--targets", type=lambda text: sorted(map(float, text.split(","))), default=[0.8, 0.85])
    for name, value in (("threads", 2), ("seed", 0), ("limit", 1800), ("every", 110)):
        p.add_argument("--" + name, type=int, default=value, help="[%(default)s]")
    p.add_argument("--subjects", type=lambda text: text.split(","), help=argparse.SUPPRESS)  # of the program's own child
    return p.parse_args()


o = read_options()


# ---- the U-Net in PyTorch, a process of its own --------------------------------------------------------------------------------------


def scans(subjects):
    """Image and label map of ED and ES, slices first, and the spacing in mm."""
    import nibabel
    import numpy as np
    for subject in subjects:
        folder = os.path.join(o.acdc, subject)
        lines = dict(line.split(":") for line in open(os.path.join(folder, "Info.cfg")).read().splitlines() if ":" in line)
        for frame in (int(lines["ED"]), int(lines["ES"])):
            image, label = (nibabel.load(f"{folder}/{subject}_frame{frame:02d}{end}.nii.gz") for end in ("", "_gt"))
            classes = np.zeros(4, np.int64)
            classes[list(VALUES)] = list(VALUES.values())
            yield (np.asarray(image.dataobj, np.float32).transpose(2, 0, 1), classes[np.asarray(label.dataobj, np.int64)].transpose(2, 0, 1),
                   image.header.get_zooms()[:2])


def train_in_torch():
    import numpy as np
    import torch
    from torch.nn import functional as F

    from unet_torch import UNet, loss_of

    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)

    def cut(t):
        """The middle SIZE x SIZE, filled with zeros where there is less."""
        for axis in (1, 2):
            less = SIZE - t.shape[axis]
            if less > 0:
                sides = [0, 0] * (2 - axis) + [less // 2, less - less // 2]
                t = F.pad(t, sides)
            t = t.narrow(axis, (t.shape[axis] - SIZE) // 2, SIZE)
        return t.clone()

    def on_grid(volume, labels, spacing):
        sides = [max(1, round(n * mm / SPACING)) for n, mm in zip(volume.shape[1:], spacing)]
        low, high = np.percentile(volume, (1, 99))
        x = torch.from_numpy(np.ascontiguousarray(volume))[:, None]
        x = ((F.interpolate(x, size=sides, mode="bilinear", antialias=True) - low) / (high - low + 1e-8)).clamp(0, 1)[:, 0]
        y = F.interpolate(torch.from_numpy(np.ascontiguousarray(labels)).float()[:, None], size=sides, mode="nearest")[:, 0].long()
        return cut(x)[:, None], cut(y)

    def between(n, low, high):
        return low + (high - low) * torch.rand(n)

    def move(x, y):
        n = len(x)
        angle, zoom, aspect = between(n, -math.pi, math.pi), 1 / between(n, 0.7, 1.4), between(n, 0.9, 1.1)
        mirror = 1 - 2 * (torch.rand(n) < 0.5).float()
        theta = torch.stack([
            torch.stack([mirror * zoom * angle.cos(), -zoom * angle.sin(), between(n, -0.1, 0.1)], 1),
            torch.stack([mirror * zoom * aspect * angle.sin(), zoom * aspect * angle.cos(), between(n, -0.1, 0.1)], 1)], 1)
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        bend = 0.02 * torch.randn(n, 2, 5, 5) * (torch.rand(n, 1, 1, 1) < 0.5)
        grid = grid + F.interpolate(bend, size=x.shape[2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
        labels = F.grid_sample(y[:, None].float(), grid, mode="nearest", align_corners=False)
        return F.grid_sample(x, grid, align_corners=False), labels[:, 0].long()

    def recolour(v):
        """Of one slice (1, 1, y, x)."""
        def by_chance(p):
            return torch.rand(()).item() < p

        def draw(low, high):
            return between((), low, high).item()

        if by_chance(0.5):  # a monotone curve of six pieces
            knots = torch.cat([torch.zeros(1), torch.cumsum(torch.rand(6) + 0.1, 0)])
            place = v.clamp(0, 1) * 6
            piece = place.long().clamp(max=5)
            v = (knots[piece] + (knots[piece + 1] - knots[piece]) * (place - piece)) / knots[6]
        if by_chance(0.3):
            v = v ** math.exp(draw(-0.7, 0.7))
        if by_chance(0.3):
            low, high = draw(0, 0.1), 1 - draw(0, 0.35)
            v = ((v - low) / (high - low)).clamp(0, 1)
        if by_chance(0.5):
            v = v * F.interpolate(0.3 * torch.randn(1, 1, 3, 3), size=v.shape[2:], mode="bicubic", align_corners=True).exp()
        if by_chance(0.3):
            factor = draw(1.2, 2.5)
            sides = [SIZE if by_chance(0.5) else int(SIZE / factor), int(SIZE / factor)]
            v = F.interpolate(F.interpolate(v, size=sides, mode="bilinear", antialias=True), size=v.shape[2:], mode="bilinear")
        if by_chance(0.3):
            v = v + torch.randn(v.shape) * draw(0, 0.12)
        return (v - v.min()) / (v.max() - v.min() + 1e-6)

    splits = json.load(open(o.splits))
    x, y = (torch.cat(part) for part in zip(*(on_grid(*scan) for scan in scans(o.subjects))))
    held_out = [on_grid(*scan) for scan in scans(splits["validation"])]
    net = UNet(16, 5).to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=RATE, total_steps=STEPS, pct_start=0.1)

    def look():
        """Mean Dice of the classes; a class that a scan has not, and is not found, counts for nothing."""
        scores = []
        net.eval()
        with torch.inference_mode():
            for volume, truth in held_out:
                found = net(volume.contiguous(memory_format=torch.channels_last)).argmax(1)
                sums = [((found == c).sum() + (truth == c).sum()).item() for c in (1, 2, 3)]
                scores.append([2 * ((found == c) & (truth == c)).sum().item() / n if n else math.nan for c, n in zip((1, 2, 3), sums)])
        net.train()
        return float(np.nanmean(scores, 0).mean())

    for step in range(1, STEPS + 1):
        chosen = torch.randint(len(x), (BATCH,))
        image, label = move(x[chosen], y[chosen])
        image = torch.cat([recolour(slice_[None]) for slice_ in image])
        value = loss_of(net(image.contiguous(memory_format=torch.channels_last)), label)
        adam.zero_grad()
        value.backward()
        adam.step()
        rate.step()
        if step % o.every == 0:
            print(json.dumps({"step": step, "dice": round(look(), 4)}), flush=True)


# ---- both, watched --------------------------------------------------------------------------------------------------------------------


class Watch:
    """What a program says of its Dice, with the seconds since its start."""

    def __init__(self, name):
        self.name, self.start, self.reached, self.last = name, time.monotonic(), {}, None

    def tell(self, step, dice):
        seconds = time.monotonic() - self.start
        self.last = (step, dice, seconds)
        print(json.dumps({"program": self.name, "step": step, "dice": round(dice, 4), "seconds": round(seconds, 1)}), flush=True)
        for target in o.targets:
            if dice >= target:
                self.reached.setdefault(target, seconds)

    def is_over(self):
        return len(self.reached) == len(o.targets) or time.monotonic() - self.start > o.limit


def run_hardy(folder):
    watch, n_seen = Watch("hardy"), 0
    output = os.path.join(folder, "run")
    # An epoch has some 22 steps; the nearest number of them is looked after.
    words = [o.hardy, "train", o.acdc, "--splits", o.splits, "--seed", str(o.seed), "--threads", str(o.threads), "--calibrate", "off",
             "--size", str(SIZE), "--spacing", str(SPACING), "--subjects", "10", "--iterations", str(STEPS), "--validate-every", str(max(1, round(o.every / 22))), "-o", output]
    with open(os.path.join(folder, "log"), "w") as log:
        child = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        while child.poll() is None and not watch.is_over():
            time.sleep(0.2)
            for table in glob.glob(os.path.join(output, "metrics.csv")):
                rows = [row for row in csv.DictReader(open(table)) if row["val_ftn_dice"]]
                for row in rows[n_seen:]:
                    watch.tell(int(row["step"]), float(row["val_ftn_dice"]))
                n_seen = len(rows)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    if child.wait() not in (0, 130):
        sys.exit("hardy failed: " + open(os.path.join(folder, "log")).read()[-500:])
    return watch, json.load(open(os.path.join(output, "run.json")))["data_set"]["train"]


def run_torch(subjects):
    watch = Watch("PyTorch")
    child = subprocess.Popen([sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--subjects", ",".join(subjects)], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "OMP_NUM_THREADS": str(o.threads)})
    try:
        for line in child.stdout:
            row = json.loads(line)
            watch.tell(row["step"], row["dice"])
            if watch.is_over():
                break
        else:
            if child.wait():
                sys.exit("the training in PyTorch failed")
    finally:
        child.kill()
        child.wait()
    return watch


def main():
    with tempfile.TemporaryDirectory() as folder:
        hardy, subjects = run_hardy(folder)
    watches = [hardy, run_torch(subjects)]
    print("\n| seconds to a validation Dice of | " + " | ".join(f"{t:g}" for t in o.targets) + " | last look: step, Dice, seconds |")
    print("|---|" + "---|" * (len(o.targets) + 1))
    for w in watches:
        cells = [f"{w.reached[t]:.0f}" if t in w.reached else "not reached" for t in o.targets]
        print(f"| {w.name} | " + " | ".join(cells) + " | " + ("none |" if not w.last else "{}, {:.3f}, {:.0f} |".format(*w.last)))


if __name__ == "__main__":
    train_in_torch() if o.subjects else main()
