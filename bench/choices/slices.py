#!/usr/bin/env python3
"""Slices of ACDC, M&Ms and Sunnybrook on two grids, for train.py (README.md).

    slices.py DATA SPOILED OUT.xz

DATA: acdc/training, mnms, sunnybrook, splits.json. SPOILED: what `hardy corrupt --artefact acdc-c` made of the validation subjects.
OUT.xz: a pickled dictionary; "cases" lists the scans (kind, subject, native labels, where its slices begin, size on the grid), and for each spacing in
mm stand the images (0 to 127: percentiles 1 to 99) and labels (LV 1, MYO 2, RV 3) of all slices.
"""
import csv
import glob
import json
import lzma
import os
import pickle
import sys

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F

SIDES = {2.0: 128, 1.5: 160}  # spacing in mm: pixels that are kept about the middle
ACDC, SUNNYBROOK = {1: 3, 2: 2, 3: 1}, {3: 1, 2: 2}


def read(image, label, values=None, frame=None):
    """Volume, labels, in-plane spacing; values: what the file's labels become."""
    v, y = nib.load(image), nib.load(label)
    a, b = np.asanyarray(v.dataobj), np.asanyarray(y.dataobj)
    if frame is not None:
        a, b = a[..., frame], b[..., frame]
    if values:
        b = sum(((b == k) * c for k, c in values.items()), np.zeros(b.shape, np.uint8))
    return a, b.astype(np.uint8), v.header.get_zooms()[:2]


def acdc(data, subjects, kind, spoiled=None):
    for s in subjects:
        folder = os.path.join(data, "acdc", "training", s)
        for phase in ("ED", "ES"):
            info = open(os.path.join(folder, "Info.cfg")).read().splitlines()
            frame = next(int(line.split(":")[1]) for line in info if line.startswith(phase))
            image, label = (os.path.join(folder, f"{s}_frame{frame:02d}{end}.nii.gz") for end in ("", "_gt"))
            if spoiled:
                image = os.path.join(spoiled, f"{s}_{phase}.nii.gz")
            yield kind, s, *read(image, label, ACDC)


def everything(data, spoiled, splits):
    yield from acdc(data, sorted(splits["pool"]), "pool")
    yield from acdc(data, splits["validation"], "validation")
    yield from acdc(data, splits["test"], "test")
    for folder in sorted(os.listdir(spoiled)):  # acdc-c_bias_0 and so on
        yield from acdc(data, splits["validation"], folder.split("_")[1], os.path.join(spoiled, folder))
    root = os.path.join(data, "mnms")
    for row in csv.DictReader(open(os.path.join(root, "dataset_information.csv"))):
        code = row["External code"]
        for frame in (int(row["ED"]), int(row["ES"])):
            image, label = (f"{root}/Labeled/{code}/{code}_sa{end}.nii.gz" for end in ("", "_gt"))
            yield "mnms", code, *read(image, label, frame=frame)
    for label in sorted(glob.glob(os.path.join(data, "sunnybrook", "*_gt.nii.gz"))):
        yield "sunnybrook", os.path.basename(label)[:-10], *read(label.replace("_gt.nii.gz", ".nii.gz"), label, SUNNYBROOK)


def window(t, side):
    pad = [max(0, side - n) for n in t.shape[2:]]
    t = F.pad(t, (pad[1] // 2, pad[1] - pad[1] // 2, pad[0] // 2, pad[0] - pad[0] // 2))
    a, b = ((n - side) // 2 for n in t.shape[2:])
    return t[:, 0, a:a + side, b:b + side]


def main(data, spoiled, path):
    splits = json.load(open(os.path.join(data, "splits.json")))
    out = {"cases": [], "pool": splits["pool"], **{s: {"image": [], "label": []} for s in SIDES}}
    for kind, subject, v, y, zoom in everything(data, spoiled, splits):
        low, high = np.percentile(v, 1), np.percentile(v, 99)
        t, l = (torch.from_numpy(np.ascontiguousarray(a.transpose(2, 0, 1), dtype=np.float32))[:, None] for a in (v, y))
        case = {"kind": kind, "subject": subject, "label": y.transpose(2, 0, 1).copy(), "first": {}, "size": {}}
        for spacing, side in SIDES.items():
            size = [max(1, round(n * float(z) / spacing)) for n, z in zip(t.shape[2:], zoom)]
            x = (F.interpolate(t, size=size, mode="bilinear", antialias=True) - low) / (high - low + 1e-8)
            x = (window(x.clamp(0, 1), side) * 127).round().to(torch.uint8).numpy()
            case["first"][spacing], case["size"][spacing] = sum(map(len, out[spacing]["image"])), size
            out[spacing]["image"].append(x)
            out[spacing]["label"].append(window(F.interpolate(l, size=size, mode="nearest"), side).to(torch.uint8).numpy())
        out["cases"].append(case)
    for spacing in SIDES:
        out[spacing] = {k: np.concatenate(v) for k, v in out[spacing].items()}
    with open(path, "wb") as f:
        f.write(lzma.compress(pickle.dumps(out, 4), preset=2))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
