"""The Python package, by pytest: the same label maps as `hardy predict`, whatever stands for a scan; scores; errors; threads; structs as in C.

HARDY_PROGRAM and HARDY_LIBRARY name program and library, HARDY_LAYOUT the program that prints the structs' layout.
"""
import gc
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import hardy
from hardy import _library


def run(*words, **more):
    return subprocess.run([os.environ["HARDY_PROGRAM"], *map(str, words)], check=True, capture_output=True, text=True, **more).stdout


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hardy")
    run("phantom", "data", "--sites", "A", "--subjects", "2", "--size", "64", "--frames", "4", "--threads", "1", cwd=folder)
    train = ["--subjects", "2", "--validation", "0", "--size", "32", "--spacing", "5", "--batch", "4", "--iterations", "6"]
    run("train", "data/siteA", *train, "--network", "study", "--calibrate", "off", "--threads", "1", "-o", "run", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def model(site):
    return hardy.Model(site / "run")


@pytest.fixture(scope="session")
def scan_path(site):
    return site / "data/siteA/patient001/patient001_frame01.nii.gz"


@pytest.fixture(scope="session")
def wanted(site, scan_path):
    run("predict", site / "run", scan_path, "-o", site / "wanted.nii.gz", "--class-numbers", "--probabilities", "--threads", "1")
    return hardy.read(site / "wanted.nii.gz")


def test_structs_are_as_the_c_compiler_has_them():
    lines = [line.split() for line in subprocess.run([os.environ["HARDY_LAYOUT"]], check=True, capture_output=True, text=True).stdout.splitlines()]
    seen = set()
    for struct, field, number in lines:
        if struct == "scores":
            assert _library.N_SCORES == int(number)
        elif struct == "status":
            assert len(hardy.STATUS) == int(number)
        elif field == "size_of":
            import ctypes
            assert ctypes.sizeof(_library.STRUCTS[struct]) == int(number)
        else:
            assert getattr(_library.STRUCTS[struct], field).offset == int(number), (struct, field)
            seen.add((struct, field))
    assert seen == {(name, field[0]) for name, struct in _library.STRUCTS.items() for field in struct._fields_}


def test_a_model_says_what_it_is(model, site):
    assert model.classes == ["background", "LV", "MYO", "RV"] and model.values == [0, 3, 2, 1]
    assert model.network == "study" and model.channels and not model.is_calibrated
    assert model.plan["size"] == 32 and model.card["data"] == "siteA"
    same = hardy.Model((site / "run/last.safetensors").read_bytes())
    assert same.plan == model.plan


def test_label_maps_are_those_of_the_program(model, scan_path, wanted, site):
    found = model.predict(scan_path, probabilities=True, entropy=True)
    assert found.labels.dtype == np.uint8 and np.array_equal(found.labels, wanted.array)
    assert found.probabilities.shape == (4, *found.labels.shape) and np.allclose(found.probabilities.sum(0), 1, atol=1e-5)
    for k, name in enumerate(["background", "LV", "MYO", "RV"]):
        assert np.array_equal(found.probabilities[k], hardy.read(site / f"wanted_{name}.nii.gz").array)
    assert 0 <= found.entropy.min() and found.entropy.max() <= 1
    voxel_ml = np.prod(hardy.read(scan_path).spacing) / 1000
    assert found.volumes_ml[0]["LV"] == pytest.approx((found.labels == 1).sum() * voxel_ml)
    assert np.isnan(found.quality.predicted_dice) and np.isfinite(found.quality.disagreement)


def test_whatever_stands_for_a_scan(model, scan_path, wanted):
    scan = hardy.read(scan_path)
    array = scan.array
    turned = np.ascontiguousarray(array[::-1])[::-1]
    for given in (scan, array, turned, np.asfortranarray(array), array.astype(np.float64), array.astype(">f4")):
        found = model.predict(given, scan.spacing, scan.affine)
        assert np.array_equal(found.labels, wanted.array)
    assert np.array_equal(model.predict(array, affine=scan.affine).labels, wanted.array)
    assert np.array_equal(model.predict(str(scan_path)).labels, wanted.array)


def test_nibabel_images(model, scan_path, wanted, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.load(scan_path)
    found = model.predict(image)
    assert np.array_equal(found.labels, wanted.array)
    back = found.to_nibabel()
    assert np.array_equal(np.asarray(back.dataobj), found.labels) and np.allclose(back.affine, image.affine)
    nibabel.save(back, tmp_path / "labels.nii.gz")
    assert np.array_equal(hardy.read(tmp_path / "labels.nii.gz").array, found.labels)


def test_a_cine_is_a_scan_each_frame(model, site):
    cine = hardy.read(site / "data/siteA/patient001/patient001_4d.nii.gz")
    found = model.predict(cine)
    assert found.labels.shape == cine.array.shape and cine.array.ndim == 4 and len(found.qualities) == cine.array.shape[3]
    one = model.predict(cine.array[..., 2], cine.spacing, cine.affine)
    assert np.array_equal(found.labels[..., 2], one.labels) and repr(found.qualities[2]) == repr(one.quality)


def test_saved_maps_carry_the_header(model, scan_path, tmp_path):
    found = model.predict(scan_path)
    found.save(tmp_path / "labels.nii.gz")
    back = hardy.read(tmp_path / "labels.nii.gz")
    assert np.array_equal(back.array, found.labels) and np.array_equal(back.affine, hardy.read(scan_path).affine)
    with pytest.raises(hardy.HardyError) as refused:
        found.save(tmp_path / "labels.nii.gz")
    assert refused.value.status == "argument" and "labels.nii.gz" in str(refused.value)
    found.save(tmp_path / "labels.nii.gz", overwrite=True)
    hardy.write(tmp_path / "values.nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4), spacing=(1, 2, 3))
    values = hardy.read(tmp_path / "values.nii")
    assert values.array[1, 2, 3] == 23 and values.array[0, 1, 0] == 4 and values.spacing == (1, 2, 3)


def test_ensembles_and_options(model, scan_path):
    both = hardy.Predictor([model, model], probabilities=True).predict(scan_path)
    one = model.predict(scan_path, probabilities=True)
    assert np.allclose(both.probabilities, one.probabilities, atol=1e-6)
    fast = hardy.Predictor(model, labels_only=True, network="ftn").predict(scan_path)
    assert np.isnan(fast.quality.disagreement) and fast.probabilities is None
    with pytest.raises(hardy.HardyError, match=r'tta is "all", want one of none\|flips\|intensity\|both'):
        model.predict(scan_path, tta="all")
    with pytest.raises(TypeError):
        model.predict(scan_path, flips=True)


def test_threads_share_a_model(model, scan_path, wanted):
    scan, found = hardy.read(scan_path), [None] * 3

    def work(i):
        found[i] = model.predict(scan)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(np.array_equal(f.labels, wanted.array) for f in found)


def test_what_was_found_outlives_everything(site, scan_path, wanted):
    model = hardy.Model(site / "run")
    found = model.predict(scan_path)
    predictor = hardy.Predictor(model)
    del model
    gc.collect()
    assert np.array_equal(found.labels, wanted.array) and np.array_equal(predictor.predict(scan_path).labels, wanted.array)


def test_scores(model, scan_path, site):
    truth_path = pathlib.Path(str(scan_path).replace("frame01", "frame01_gt"))
    truth = hardy.read(truth_path)
    perfect = hardy.evaluate(truth_path, truth.array, truth.spacing)
    assert sorted(perfect) == [1, 2, 3] and all(row["dice"] == 1 and row["hd95_mm"] == 0 and row["state"] == "both" for row in perfect.values())
    moved = np.roll(truth.array.astype(np.uint16), 1, 0)
    row = hardy.evaluate(moved, truth, labels=[3])[3]
    a, b = moved == 3, truth.array == 3
    assert row["dice"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert row["volume_ml"] == pytest.approx(a.sum() * np.prod(truth.spacing) / 1000)
    assert row["hd_mm"] == pytest.approx(truth.spacing[0])
    assert hardy.evaluate(model.predict(scan_path), truth_path)
    assert hardy.evaluate(a, b, (1, 1, 1))[1]["dice"] == pytest.approx(row["dice"])
    missing = hardy.evaluate(a, b, (1, 1, 1), labels=[7], empty="one")[7]
    assert missing["state"] == "neither" and missing["dice"] == 1 and np.isnan(missing["hd95_mm"])


def test_wrong_arguments(model):
    with pytest.raises(ValueError, match="an array needs its spacing in mm, or an affine"):
        model.predict(np.zeros((8, 8, 2)))
    with pytest.raises(ValueError, match="want 3: x, y, z"):
        model.predict(np.zeros((8, 8, 2)), spacing=(1, 1))
    with pytest.raises(TypeError, match="complex"):
        model.predict(np.zeros((8, 8, 2), complex), spacing=(1, 1, 1))
    with pytest.raises(hardy.HardyError) as refused:
        model.predict(np.zeros((8, 8, 2)), spacing=(1, 1, 0))
    assert refused.value.status == "argument" and "spacing_mm is 0 along z" in str(refused.value)
    with pytest.raises(hardy.HardyError) as refused:
        hardy.Model("/no/such.safetensors")
    assert refused.value.status == "io"
    with pytest.raises(hardy.HardyError, match="want whole numbers"):
        hardy.evaluate(np.full((4, 4, 1), 0.5), np.zeros((4, 4, 1)), (1, 1, 1))
    with pytest.raises(ValueError, match="spacing"):
        hardy.evaluate(np.zeros((4, 4, 1)), np.zeros((4, 4, 1)))
    with pytest.raises(ValueError, match="tolerance_mm"):
        hardy.evaluate(np.zeros((4, 4, 1)), np.zeros((4, 4, 1)), (1, 1, 1), tolerance_mm=-1)


def test_a_library_that_is_not_there_is_an_import_error():
    environment = {**os.environ, "HARDY_LIBRARY": "/no/such/library.so"}
    done = subprocess.run([sys.executable, "-c", "import hardy"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "ImportError: the hardy library is not there" in done.stderr


def test_the_page_runs(site, model, monkeypatch):
    """Every Python block of docs/LIBRARY.md, in the folder of the phantom and its model."""
    page = pathlib.Path(os.environ["HARDY_SOURCE"], "docs/LIBRARY.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 2
    monkeypatch.chdir(site)
    names = {}
    for block in blocks:
        exec(compile(block, "docs/LIBRARY.md", "exec"), names)


SMALL = dict(subjects=2, validation=0, size=32, spacing_mm=5, batch=4, network="study", calibrate=False, threads=1)


def test_train_is_as_the_program_trains(site, tmp_path):
    heard = []
    model = hardy.train(site / "data/siteA", tmp_path / "run", iterations=6, progress=heard.append, **SMALL)
    assert model.classes == ["background", "LV", "MYO", "RV"]
    assert (tmp_path / "run/last.safetensors").read_bytes() == (site / "run/last.safetensors").read_bytes()
    assert any("step 6" in line or "6 steps" in line for line in heard)


def test_train_stops_and_goes_on(site, tmp_path):
    with pytest.raises(hardy.HardyError) as caught:
        hardy.train(site / "data/siteA", tmp_path / "run", iterations=6, validate_every=1,
                    progress=lambda line: "step 2 of 6" in line, **SMALL)
    assert caught.value.status == "interrupted"
    hardy.train(site / "data/siteA", tmp_path / "run", resume=True)
    reference = hardy.train(site / "data/siteA", tmp_path / "whole", iterations=6, validate_every=1, **SMALL)
    assert (tmp_path / "run/last.safetensors").read_bytes() == (tmp_path / "whole/last.safetensors").read_bytes()
    assert reference.network == "study"


def test_what_the_callback_raises_comes_out(site, tmp_path):
    def fail(line):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        hardy.train(site / "data/siteA", tmp_path / "run", iterations=6, progress=fail, **SMALL)


def test_ctrl_c_saves_and_goes_on(site, tmp_path):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process begins without
    begun = threading.Event()

    def interrupt():  # while the library computes, not in Python
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    killer = threading.Thread(target=interrupt)
    killer.start()
    with pytest.raises(KeyboardInterrupt):
        hardy.train(site / "data/siteA", tmp_path / "run", iterations=2000, validate_every=1,
                    progress=lambda line: begun.set() if "step 2 of" in line else None, **SMALL)
    killer.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    steps = []

    def first_step(line):
        steps.extend(map(int, re.findall(r"step (\d+) of 2000", line)))
        return bool(steps)

    with pytest.raises(hardy.HardyError, match="interrupted"):
        hardy.train(site / "data/siteA", tmp_path / "run", resume=True, progress=first_step)
    assert steps[0] >= 2


def test_train_names_what_is_wrong(site, tmp_path):
    with pytest.raises(TypeError, match='no option "iteration"'):
        hardy.train(site / "data/siteA", tmp_path / "run", iteration=6)
    with pytest.raises(hardy.HardyError, match="batch is 1, want 2 to 1024"):
        hardy.train(site / "data/siteA", tmp_path / "run", batch=1)
    with pytest.raises(hardy.HardyError, match="preset is"):
        hardy.train(site / "data/siteA", tmp_path / "run", preset="slow")
    with pytest.raises(hardy.HardyError, match="absent"):
        hardy.train(tmp_path / "absent", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_options_are_those_of_the_program():
    rows = {row["name"]: row for row in hardy.options("train")}
    assert rows["batch"]["type"] == "whole" and rows["batch"]["range"] == (2, 1024) and rows["batch"]["default"] == "10"
    assert rows["loss"]["choices"] == ["ce", "ce+dice"]
    assert rows["output"]["default"] is None
    assert {"copies", "sweep"} <= {row["name"] for row in hardy.options("stress")}
    with pytest.raises(ValueError):
        hardy.options("brave")
