#!/usr/bin/env python3
"""Slices of ACDC as the published program sees them, for train.py (README.md).

    prepare.py DATA SPLITS.json OUT.xz

DATA: the folder acdc/training of the challenge's files. SPLITS.json: lists "train" and "validation".
OUT.xz: a pickled dictionary. Images are bytes: 255 times the volume between its percentiles 2 and 98, on a grid of 1.36719 mm.
"canvas", "canvas_label": training slices about their middle in 320 x 320, padded as the published program pads, then by the nearest pixel.
"height", "width": their sizes after padding to 224 (at most 320). "plain", "plain_label": the same slices in 192 x 192, zero-padded.
"scan": which scan a training slice belongs to. "validation", "validation_label": slices of 192 x 192; "validation_scan".
"""
import json
import lzma
import os
import pickle
import sys

import nibabel as nib
import numpy as np

SPACING, SIDE, PADDED, CANVAS = 1.36719, 192, 224, 320
VALUES = {1: 3, 2: 2, 3: 1}  # ACDC's labels to LV 1, MYO 2, RV 3


def resample(v, spacing, nearest):
    """Along the first two axes: linear or nearest, 0 beyond the last voxel's border."""
    for axis in (0, 1):
        old, n = float(spacing[axis]), v.shape[axis]
        if abs(old - SPACING) < 1e-4:
            continue
        q = np.arange(int(np.rint(n * old / SPACING))) * SPACING / old
        inside = q < n - 0.5
        shape = [-1 if k == axis else 1 for k in range(3)]
        if nearest:
            out = np.take(v, np.minimum(np.floor(q + 0.5).astype(int), n - 1), axis)
        else:
            low = np.minimum(q.astype(int), n - 1)
            part = np.minimum(q - low, 1).reshape(shape)
            out = (1 - part) * np.take(v, low, axis) + part * np.take(v, np.minimum(low + 1, n - 1), axis)
        v = out * inside.reshape(shape)
    return v


def fit(a, side):
    """Zero-pads (more before) or cuts (less before) both axes to `side`."""
    for axis in (0, 1):
        d = side - a.shape[axis]
        if d > 0:
            a = np.pad(a, [((d + 1) // 2, d // 2) if k == axis else (0, 0) for k in (0, 1)])
        elif d < 0:
            a = np.take(a, np.arange(-d // 2, -d // 2 + side), axis)
    return a


def canvas(a):
    """Pads by each line's minimum to 224, then by the nearest pixel to 320 about the middle; the size after the first."""
    for axis in (0, 1):
        d = max(0, PADDED - a.shape[axis])
        a = np.pad(a, [((d + 1) // 2, d // 2) if k == axis else (0, 0) for k in (0, 1)], mode="minimum") if d else a
        if a.shape[axis] > CANVAS:
            a = np.take(a, np.arange((a.shape[axis] - CANVAS) // 2, (a.shape[axis] - CANVAS) // 2 + CANVAS), axis)
    height, width = a.shape
    before = [(CANVAS - n) // 2 for n in a.shape]
    return np.pad(a, [(b, CANVAS - n - b) for b, n in zip(before, a.shape)], mode="edge"), height, width


def scans(data, subjects):
    for s in subjects:
        folder = os.path.join(data, s)
        info = open(os.path.join(folder, "Info.cfg")).read().splitlines()
        for phase in ("ED", "ES"):
            frame = next(int(line.split(":")[1]) for line in info if line.startswith(phase + ":"))
            image, label = (nib.load(os.path.join(folder, f"{s}_frame{frame:02d}{end}.nii.gz")) for end in ("", "_gt"))
            v, y = np.asanyarray(image.dataobj).astype(np.float64), np.asanyarray(label.dataobj)
            low, high = np.percentile(v, 2), np.percentile(v, 98)
            v = (np.clip(v, low, high) - low) / (1e-10 + high - low)
            y = sum(((y == k) * c for k, c in VALUES.items()), np.zeros(y.shape, np.uint8))
            zoom = image.header.get_zooms()[:2]
            v, y = resample(v, zoom, False), resample(y, zoom, True)
            yield [(np.rint(v[..., k] * 255).astype(np.uint8), y[..., k].astype(np.uint8)) for k in range(v.shape[2])]


def main(data, splits, path):
    splits = json.load(open(splits))
    keys = ("canvas", "canvas_label", "height", "width", "plain", "plain_label", "scan", "validation", "validation_label", "validation_scan")
    out = {k: [] for k in keys}
    for n, slices in enumerate(scans(data, splits["train"])):
        for v, y in slices:
            big, height, width = canvas(v)
            values = (big, canvas(y)[0], height, width, fit(v, SIDE), fit(y, SIDE), n)
            for k, value in zip(keys, values):
                out[k].append(value)
    for n, slices in enumerate(scans(data, splits["validation"])):
        for v, y in slices:
            for k, value in zip(keys[7:], (fit(v, SIDE), fit(y, SIDE), n)):
                out[k].append(value)
    with open(path, "wb") as f:
        f.write(lzma.compress(pickle.dumps({k: np.array(v) for k, v in out.items()}, 4), preset=9))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
