#!/usr/bin/env python3
"""The list of trainings for train.py, and the table of what came of them (README.md).

    choices.py table > jobs.json
    choices.py show ROWS.jsonl...
"""
import collections
import json
import sys

# name: what it changes of train.py's DEFAULT. Steps: as much computing as the plain recipe's, unless the name says otherwise.
CHOICES = {
    "pytorch reference": dict(intensities="reference", ema=0.0, all_sets=True),
    "plain": dict(all_sets=True),
    "plain, other starting weights": dict(init=1),
    "four levels, no topmost skip": dict(top_skip=False, levels=4),
    "four levels": dict(levels=4, steps=3300),
    "no topmost skip": dict(top_skip=False, steps=3150),
    "low resolution": dict(low_resolution=0.3),
    "shading": dict(shade=0.5),
    "random shallow convolutions": dict(shallow=0.5),
    "gamma": dict(gamma=0.3),
    "more curves": dict(curve=0.8),
    "inverted": dict(invert=0.1),
    "boxes painted over": dict(boxes=0.5),
    "intensities of the reference": dict(intensities="reference"),
    "zoom .8 to 1.25": dict(zoom_low=0.8, zoom_high=1.25),
    "base and apex twice as often": dict(edges=1.0),
    "batch 6": dict(batch=6, steps=5000),
    "batch 16": dict(batch=16, steps=1875),
    "batch 20": dict(batch=20, steps=1500),
    "rate .002": dict(rate=2e-3),
    "rate .008": dict(rate=8e-3),
    "weight decay .05": dict(weight_decay=0.05),
    "no averages": dict(ema=0.0),
    "averages .999": dict(ema=0.999),
    "deep supervision": dict(deep=True, steps=2900),
    "residual": dict(residual=True),
    "strided": dict(strided=True),
    "instance norm": dict(norm="instance"),
    "width 24": dict(width=24, steps=1600),
    "width 24, as many steps": dict(width=24),
    "width 32, as many steps": dict(width=32),
    "label smoothing": dict(smooth=0.1),
    "mixstyle": dict(mix=True),
    "latent masks": dict(masks=True, steps=2000),
    "decoded from masked codes": dict(decoded=True, steps=1100),
    "adversarial bias": dict(adversary=True, steps=1100),
    "hardest styles": dict(styles=1, steps=800),
    "stn": dict(stn=True, steps=2500),
    "unlabelled": dict(unlabelled=True, steps=1350, all_sets=True),
    "1200 steps": dict(steps=1200),
    "128 at 1.5 mm": dict(spacing=1.5, size=128, steps=1700),
    "width 32, 4500 steps": dict(width=32, steps=4500, all_sets=True),
}
COLUMNS = ("validation", "validation_mirrored", "bias", "ghosting", "motion", "spike")


def table(seeds=(0, 1, 2)):
    return [dict(change, name=name, seed=seed) for seed in seeds for name, change in CHOICES.items()]


def show(paths):
    by_name = collections.defaultdict(dict)
    for path in paths:
        for row in map(json.loads, open(path)):
            if "validation" in row:
                by_name[row["name"]][row["seed"]] = row
    plain = by_name["plain"]
    print(f"{'difference from plain':32}", *(f"{c:>12.12}" for c in COLUMNS), "seeds")
    for name, rows in by_name.items():
        seeds = sorted(s for s in rows if s in plain)
        if seeds:
            means = [sum(rows[s][c] - plain[s][c] for s in seeds) / len(seeds) for c in COLUMNS]
            print(f"{name:32.32}", *(f"{m:+12.4f}" for m in means), *seeds)


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        json.dump(table(), sys.stdout, indent=0)
    elif sys.argv[1:2] == ["show"] and len(sys.argv) > 2:
        show(sys.argv[2:])
    else:
        sys.exit(__doc__)
