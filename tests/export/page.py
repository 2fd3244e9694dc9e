"""Runs the Python of docs/ONNX.md and compares with `hardy predict`: page.py (HARDY_PROGRAM, HARDY_SOURCE). Exits 77 where packages are missing."""
import os
import re
import subprocess
import sys
import tempfile

try:
    import nibabel
    import numpy as np
    import onnxruntime
except ImportError as missing:
    print(f"{missing}: name a Python that has numpy, nibabel and onnxruntime in HARDY_PYTHON", file=sys.stderr)
    sys.exit(77)

HARDY, SOURCE = os.environ["HARDY_PROGRAM"], os.environ["HARDY_SOURCE"]
LIMIT = 1e-4


def hardy(*words):
    subprocess.run([HARDY, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check(page, network, more, scan_path):
    train = ["--subjects", "2", "--validation", "0", "--size", "48", "--spacing", "3.5", "--batch", "4", "--iterations", "8"]
    hardy("train", "data/siteA", *more, *train, "--calibrate", "off", "--threads", "1", "-o", network)
    hardy("export", network, "-o", f"{network}.onnx")
    plain = ["--window", "middle", "--components", "all", "--tta", "none", "--threads", "1"]
    hardy("predict", network, scan_path, "-o", f"{network}.nii.gz", *plain, "--probabilities")
    session = onnxruntime.InferenceSession(f"{network}.onnx")
    found = page["segment"](nibabel.load(scan_path), session)
    for k, name in enumerate(["background", "LV", "MYO", "RV"]):
        wanted = nibabel.load(f"{network}_{name}.nii.gz").get_fdata().T
        apart = np.abs(found[k] - wanted).max()
        print(f"{network} {name}: {wanted.min():.3f} to {wanted.max():.3f}, at most {apart:.1e} apart")
        assert wanted.std() > 0 and found[k].shape == wanted.shape and apart < LIMIT
    subprocess.run([sys.executable, "page_code.py", f"{network}.onnx", scan_path, "labels.nii.gz"], check=True)
    labels, wanted = (np.asarray(nibabel.load(f).dataobj) for f in ("labels.nii.gz", f"{network}.nii.gz"))
    assert (labels != wanted).mean() < 1e-3, "label maps differ"


def main():
    text = open(os.path.join(SOURCE, "docs", "ONNX.md"), encoding="utf-8").read()
    code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("page_code.py", "w", encoding="utf-8") as file:
            file.write(code)
        page = {"__name__": "page"}
        exec(compile(code, "docs/ONNX.md", "exec"), page)
        hardy("phantom", "data", "--sites", "A", "--subjects", "2", "--size", "64", "--threads", "1")
        unet = ["--network", "unet"]
        scan = "data/siteA/patient001/patient001_frame01.nii.gz"
        for network, more in (("study", ["--network", "study"]), ("unet", unet), ("neighbours", [*unet, "--neighbours", "2"])):
            check(page, network, more, scan)
        thin = nibabel.load(scan)
        affine = thin.affine @ np.diag([1, 1, 3 / thin.header.get_zooms()[2], 1])  # thin slices: enough to be seen from the side
        nibabel.save(nibabel.Nifti1Image(np.asarray(thin.dataobj), affine), "thin.nii.gz")
        check(page, "planes", [*unet, "--planes", "3"], "thin.nii.gz")
        os.chdir("/")


main()
