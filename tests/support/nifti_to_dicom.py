#!/usr/bin/env python3
"""Writes a NIfTI scan as a DICOM series, for tests and pages that need one: MR images of one slice and one frame each.

    nifti_to_dicom.py SCAN.nii.gz FOLDER [STEP_MS]

Reads little-endian NIfTI-1 with an sform and voxels of int16, uint16 or float32; nothing but Python's own library is needed. Frames are STEP_MS apart (40).
"""
import array
import gzip
import os
import struct
import sys

CODES = {4: "h", 512: "H", 16: "f"}


def element(group, number, vr, value):
    """One element, explicit little-endian (PS3.5, 7.1.2)."""
    if isinstance(value, str):
        value = value.encode("ascii")
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    elif isinstance(value, int):
        value = struct.pack("<H", value)
    head = struct.pack("<HH2s", group, number, vr.encode())
    return head + (struct.pack("<HI", 0, len(value)) if vr == "OW" else struct.pack("<H", len(value))) + value


def numbers(values):
    return "\\".join(f"{v:.10g}"[:16] for v in values)


def slice_file(pixels, rows, columns, spacing, thickness, position, direction, trigger, instance):
    kind, uid = "1.2.840.10008.5.1.4.1.1.4", f"1.2.826.0.1.3680043.1.{instance}"
    meta = element(2, 0x02, "UI", kind) + element(2, 0x03, "UI", uid) + element(2, 0x10, "UI", "1.2.840.10008.1.2.1")
    out = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta
    for e in [(8, 0x08, "CS", "ORIGINAL\\PRIMARY\\M"), (8, 0x16, "UI", kind), (8, 0x18, "UI", uid), (8, 0x60, "CS", "MR"),
              (0x10, 0x20, "LO", "phantom"), (0x18, 0x50, "DS", numbers([thickness])), (0x18, 0x80, "DS", "2.8"),
              (0x18, 0x81, "DS", "1.2"), (0x18, 0x1060, "DS", numbers([trigger])), (0x20, 0x0D, "UI", "1.2.826.0.1.3680043.2"),
              (0x20, 0x0E, "UI", "1.2.826.0.1.3680043.3"), (0x20, 0x11, "IS", "7"), (0x20, 0x13, "IS", str(instance)),
              (0x20, 0x32, "DS", numbers(position)), (0x20, 0x37, "DS", numbers(direction)), (0x28, 0x02, "US", 1),
              (0x28, 0x04, "CS", "MONOCHROME2"), (0x28, 0x10, "US", rows), (0x28, 0x11, "US", columns),
              (0x28, 0x30, "DS", numbers(spacing)), (0x28, 0x100, "US", 16), (0x28, 0x101, "US", 12), (0x28, 0x102, "US", 11),
              (0x28, 0x103, "US", 0), (0x7FE0, 0x10, "OW", pixels)]:
        out += element(*e)
    return out


def main(scan, folder, step_ms=40.0):
    data = gzip.open(scan).read() if scan.endswith(".gz") else open(scan, "rb").read()
    dim, code = struct.unpack("<8h", data[40:56]), struct.unpack("<h", data[70:72])[0]
    offset = int(struct.unpack("<f", data[108:112])[0])
    row = [struct.unpack("<4f", data[280 + 16 * i:296 + 16 * i]) for i in range(3)]
    lps = [[-v for v in row[0]], [-v for v in row[1]], list(row[2])]  # DICOM's axes: left, posterior, superior
    axis = [[lps[i][k] for i in range(3)] for k in range(4)]
    length = [sum(v * v for v in axis[k]) ** 0.5 for k in range(3)]
    nx, ny, nz, nt = (max(1, dim[i]) if i <= dim[0] else 1 for i in range(1, 5))
    voxels = array.array(CODES[code], data[offset:])
    low, high = min(voxels), max(voxels)
    scale = 4000 / (high - low) if high > low else 1
    os.makedirs(folder)
    instance = 0
    for z in range(nz):
        for t in range(nt):
            instance += 1
            at = (t * nz + z) * ny * nx
            pixels = array.array("H", (round((v - low) * scale) for v in voxels[at:at + ny * nx])).tobytes()
            place = [axis[3][i] + z * axis[2][i] for i in range(3)]
            direction = [v / length[k] for k in (0, 1) for v in axis[k]]
            with open(os.path.join(folder, f"IM{instance:05d}"), "wb") as f:
                f.write(slice_file(pixels, ny, nx, (length[1], length[0]), length[2], place, direction, t * step_ms, instance))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(float(v) for v in sys.argv[3:4]))
