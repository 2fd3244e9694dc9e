"""hardy: medical image segmentation on CPUs, from NumPy arrays, nibabel images and NIfTI files.

    import hardy
    model = hardy.Model("run")                        # a .safetensors file, the folder of a training, or bytes
    found = model.predict("scan.nii.gz")              # a path, a nibabel image, or an array with its spacing
    found.labels                                      # class numbers, in the axes of the scan
    found.quality.predicted_dice                      # how far to trust them
    found.save("labels.nii.gz")
    hardy.evaluate(found, "truth.nii.gz")             # {label: {"dice": ..., "hd95_mm": ...}}
    hardy.train("labelled_scans", "run", progress=print)

Arrays have the axes x, y, z and, where there are several, frames or channels, as nibabel has them; lengths are in mm, volumes in mL. Calls release
Python's lock; a model may be used by several threads at once. docs/LIBRARY.md has more.
"""
from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import signal
import threading
import warnings
from ctypes import byref, sizeof
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Sequence, Union

import numpy as np

from . import _library
from ._library import STATUS, HardyError, lib

__all__ = ["HardyError", "Model", "Prediction", "Predictor", "Quality", "STATUS", "Scan", "evaluate", "options", "read", "train",
           "write"]
__version__ = lib.hardy_version().decode()

PathLike = Union[str, "os.PathLike[str]"]
_TYPES = {"uint8": 1, "int8": 2, "uint16": 3, "int16": 4, "uint32": 5, "int32": 6, "uint64": 7, "int64": 8, "float32": 9, "float64": 10}


# ---- scans ------------------------------------------------------------------------------------------------------------------


class Scan:
    """A scan or label map in memory: `array` (x, y, z and maybe a fourth axis), `spacing` in mm, `affine` (4 x 4, RAS+ mm) or None."""

    def __init__(self, array: Any, spacing: Sequence[float] | None = None, affine: Any = None) -> None:
        self.array = np.asarray(array)
        if not 1 <= self.array.ndim <= 4:
            raise ValueError(f"an array of {self.array.ndim} axes, want 1 to 4: x, y, z, and frames or channels")
        self.affine = None if affine is None else np.asarray(affine, float)
        if self.affine is not None and self.affine.shape not in ((4, 4), (3, 4)):
            raise ValueError(f"an affine of shape {self.affine.shape}, want (4, 4)")
        if spacing is None and self.affine is not None:
            spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
        if spacing is None:
            raise ValueError("an array needs its spacing in mm, or an affine")
        self.spacing = tuple(float(s) for s in spacing)
        if len(self.spacing) != 3:
            raise ValueError(f"a spacing of {len(self.spacing)} numbers, want 3: x, y, z in mm")
        self._volume: _Handle | None = None  # of the file it was read from, whose header outputs carry
        self._like: Any = None  # the nibabel image it was taken from

    def _view(self) -> _View:
        return _View(self.array, self.spacing, self.affine)


class _Handle:
    """An object of the library, freed with this one."""

    def __init__(self, pointer: ctypes.c_void_p, free: Any) -> None:
        self.pointer, self._free = pointer, free

    def __del__(self) -> None:
        self._free(self.pointer)


class _View:
    """A hardy_image of an array, which it keeps alive."""

    def __init__(self, array: np.ndarray, spacing: Sequence[float], affine: np.ndarray | None) -> None:
        if array.dtype == bool:
            array = array.view(np.uint8)
        elif array.dtype == np.float16:
            array = array.astype(np.float32)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype.name not in _TYPES:
            raise TypeError(f"an array of {array.dtype}, want numbers of 8 to 64 bits")
        self.array = array
        self.image = image = _library.Image(size=sizeof(_library.Image), data=array.ctypes.data, type=_TYPES[array.dtype.name])
        for k in range(array.ndim):
            image.shape[k], image.stride[k] = array.shape[k], array.strides[k]
        image.spacing_mm[:] = spacing
        for r in range(3):
            for c in range(4):
                image.affine[r][c] = 0 if affine is None else affine[r, c]


def _copy(image: _library.Image, n_dims: int) -> np.ndarray:
    """The packed voxels of one of the library's images, as an array of our own."""
    dtype = np.dtype(next(name for name, number in _TYPES.items() if number == image.type))
    shape = tuple(image.shape)
    data = ctypes.string_at(image.data, int(np.prod(shape)) * dtype.itemsize)
    array = np.frombuffer(data, dtype).reshape(shape, order="F")
    while array.ndim > n_dims and array.shape[-1] == 1:
        array = array[..., 0]
    return array.copy(order="F")


def read(path: PathLike) -> Scan:
    """Reads a NIfTI file (.nii, .nii.gz, .hdr with .img), voxels as float32 with the header's scaling."""
    made = ctypes.c_void_p()
    _library.call("hardy_volume_read", os.fsencode(path), byref(made), None)
    volume = _Handle(made, lib.hardy_volume_free)
    image = lib.hardy_volume_image(volume.pointer).contents
    affine = np.vstack([np.array([list(row) for row in image.affine]), [0, 0, 0, 1]])
    scan = Scan(_copy(image, 3), tuple(image.spacing_mm), affine if affine[:3].any() else None)
    scan._volume = volume
    return scan


def write(path: PathLike, array: Any, spacing: Sequence[float] | None = None, affine: Any = None, like: Scan | None = None,
          overwrite: bool = False) -> None:
    """Writes an array of uint8, uint16, int16 or float32 as .nii or .nii.gz. like: a scan of read(), whose header it gets. What is there is
    left alone unless overwrite."""
    if like is not None and spacing is None and affine is None:
        spacing, affine = like.spacing, like.affine
    view = Scan(array, spacing, affine)._view()
    volume = like._volume.pointer if like is not None and like._volume is not None else None
    _library.call("hardy_image_write", byref(view.image), os.fsencode(path), volume, overwrite)


def _scan(given: Any, spacing: Sequence[float] | None = None, affine: Any = None) -> Scan:
    """Whatever stands for a scan: a Scan, a Prediction, a path, a nibabel image, an array."""
    if isinstance(given, Prediction):
        given = given._label_scan()
    if isinstance(given, (str, os.PathLike)):
        given = read(given)
    if isinstance(given, Scan):
        if spacing is None:
            return given
        scan = Scan(given.array, spacing, given.affine if affine is None else affine)
        scan._volume, scan._like = given._volume, given._like
        return scan
    if hasattr(given, "dataobj") and hasattr(given, "affine"):  # of nibabel
        scan = Scan(given.dataobj, spacing, given.affine if affine is None else affine)
        scan._like = given
        return scan
    return Scan(given, spacing, affine)


# ---- prediction -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quality:
    """How far to trust a label map (docs/PREDICTION.md); NaN: not measured."""

    predicted_dice: float  # mean over classes; NaN when the model is not calibrated
    predicted_low: float  # nine in ten scans like those of the calibration are better
    mean_entropy: float
    disagreement: float  # 1 - mean Dice of two opinions
    reconstruction_error: float
    reconstruction_z: float
    warnings: tuple[str, ...]  # what lies outside of what the model was trained on


class Prediction:
    """What was found in a scan. Arrays have the axes of the scan."""

    labels: np.ndarray  # uint8, class numbers: 0 background, k the class classes[k]
    probabilities: np.ndarray | None  # float32, classes first; None when not asked for
    entropy: np.ndarray | None  # float32, 0 to 1; None when not asked for
    classes: list[str]
    qualities: list[Quality]  # of each frame
    volumes_ml: list[dict[str, float]]  # of each frame, by class

    def __init__(self, handle: _Handle, scan: Scan, classes: list[str], n_channels: int) -> None:
        p, n_dims = handle.pointer, max(3, scan.array.ndim if n_channels == 1 else 3)
        n_frames = lib.hardy_prediction_n_frames(p)
        self.classes, self._scan = classes, scan
        self.labels = _copy(lib.hardy_prediction_labels(p).contents, n_dims)
        entropy = lib.hardy_prediction_entropy(p)
        self.entropy = _copy(entropy.contents, n_dims) if entropy else None
        maps = [lib.hardy_prediction_probabilities(p, i) for i in range(len(classes))]
        self.probabilities = np.stack([_copy(m.contents, n_dims) for m in maps]) if maps[0] else None
        self.volumes_ml = [{c: lib.hardy_prediction_volume_ml(p, t, i) for i, c in enumerate(classes)} for t in range(n_frames)]
        self.qualities = [_quality(p, t) for t in range(n_frames)]

    @property
    def quality(self) -> Quality:
        """That of the first frame, which is the only one unless the scan is a cine."""
        return self.qualities[0]

    def _label_scan(self) -> Scan:
        scan = Scan(self.labels, self._scan.spacing, self._scan.affine)
        scan._volume = self._scan._volume
        return scan

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes the label map, with the header of the file that the scan was read from, if it was."""
        write(path, self.labels, like=self._label_scan(), overwrite=overwrite)

    def to_nibabel(self) -> Any:
        """The label map as a nibabel image, with the header of the one that the scan was, if it was."""
        import nibabel

        affine = np.diag([*self._scan.spacing, 1]) if self._scan.affine is None else self._scan.affine
        header = getattr(self._scan._like, "header", None)
        image = nibabel.Nifti1Image(self.labels, affine, header)
        image.set_data_dtype(np.uint8)
        return image


def _quality(prediction: ctypes.c_void_p, frame: int) -> Quality:
    q = _library.Quality(size=sizeof(_library.Quality))
    _library.call("hardy_prediction_quality", prediction, frame, byref(q))
    text = q.warnings.decode("utf-8", "replace") if q.n_warnings else ""
    return Quality(q.predicted_dice, q.predicted_low, q.mean_entropy, q.disagreement, q.reconstruction_error, q.reconstruction_z,
                   tuple(text.split("; ")) if text else ())


class Model:
    """A trained model, loaded once: a .safetensors file, the folder of a training, or the bytes of such a file."""

    def __init__(self, source: PathLike | bytes) -> None:
        if isinstance(source, bytes):
            made = _library.made("hardy_model_load_memory", source, len(source), b"a model in memory")
        else:
            made = _library.made("hardy_model_load", os.fsencode(source))
        self._handle = _Handle(made, lib.hardy_model_free)
        m = made
        n, n_channels = lib.hardy_model_n_classes(m), lib.hardy_model_n_channels(m)
        self.classes: list[str] = [lib.hardy_model_class_name(m, i).decode() for i in range(n)]
        #: What the data set that it was trained on writes for each class; -1: nothing.
        self.values: list[int] = [lib.hardy_model_class_value(m, i) for i in range(n)]
        self.channels: list[str] = [lib.hardy_model_channel_name(m, i).decode() for i in range(n_channels)]
        self.network: str = lib.hardy_model_network(m).decode()
        self.is_calibrated: bool = lib.hardy_model_is_calibrated(m)
        self.plan: dict[str, Any] = json.loads(lib.hardy_model_plan(m))
        card = lib.hardy_model_card(m)
        self.card: dict[str, Any] | None = json.loads(card) if card else None
        self._of_thread = threading.local()

    def predict(self, scan: Any, spacing: Sequence[float] | None = None, affine: Any = None, **options: Any) -> Prediction:
        """Segments a scan: a path, a nibabel image, a Scan, or an array with its spacing in mm (x, y, z) or affine. Options are those of
        Predictor. What the networks run in is kept for the next scan, for each thread."""
        kept = self._of_thread.__dict__
        if kept.get("options") != options:
            kept.update(predictor=Predictor(self, **options), options=options)
        return kept["predictor"].predict(scan, spacing, affine)


class Predictor:
    """One model, or several whose class probabilities are averaged, and the memory that they run in. One thread at a time.

    network: "ftn" or "stn"; components: "largest" or "all"; tta: "none", "flips", "intensity", "both"; window: "follow" or "middle"; None: as
    the model was trained to predict. precision: "f32", or "bf16" where the processor has it. probabilities, entropy: keep these maps.
    labels_only: no second opinion and so no quality signals, in about half the time. adapt: batch-norm statistics adapted to each scan.
    threads, batch, stn_iterations: 0 for the default.
    """

    def __init__(self, models: Model | Iterable[Model], *, network: str | None = None, components: str | None = None,
                 tta: str | None = None, window: str | None = None, precision: str | None = None, probabilities: bool = False,
                 entropy: bool = False, labels_only: bool = False, adapt: bool = False, stn_iterations: int = 0, batch: int = 0,
                 threads: int = 0) -> None:
        all_models = [models] if isinstance(models, Model) else list(models)
        if not all_models:
            raise ValueError("no model to predict with")
        self._kept = [m._handle for m in all_models]  # which must live as long as this
        self._classes, self._n_channels = all_models[0].classes, len(all_models[0].channels)
        words = {"network": network, "components": components, "tta": tta, "window": window, "precision": precision}
        options = _library.PredictorOptions(size=sizeof(_library.PredictorOptions), probabilities=probabilities, entropy=entropy,
                                            labels_only=labels_only, adapt=adapt, stn_iterations=stn_iterations, batch=batch,
                                            threads=threads, **{k: v.encode() for k, v in words.items() if v is not None})
        made = _library.made("hardy_predictor_new", self._kept[0].pointer, byref(options))
        self._handle = _Handle(made, lib.hardy_predictor_free)
        for model in self._kept[1:]:
            _library.call("hardy_predictor_add", made, model.pointer)

    def predict(self, scan: Any, spacing: Sequence[float] | None = None, affine: Any = None) -> Prediction:
        """As Model.predict."""
        own = _scan(scan, spacing, affine)
        view = own._view()
        made = _library.made("hardy_predictor_run", self._handle.pointer, byref(view.image))
        return Prediction(_Handle(made, lib.hardy_prediction_free), own, self._classes, self._n_channels)


# ---- evaluation -------------------------------------------------------------------------------------------------------------

_EMPTY = {"undefined": 0, "one": 1, "zero": 2}


def evaluate(prediction: Any, reference: Any, spacing: Sequence[float] | None = None, *, labels: Iterable[int] | None = None,
             tolerance_mm: float = 2, empty: str = "undefined", hd95_directed: bool = False, assd_directed: bool = False,
             nsd_surfels: bool = False) -> dict[int, dict[str, Any]]:
    """Scores each label of a label map against a reference (docs/METRICS.md): {label: {"state": "both", "dice": 0.9, "hd95_mm": ...}}.

    Both are arrays, paths, nibabel images, Scans or Predictions, of one shape and one frame; spacing (x, y, z in mm) is wanted for two arrays, and
    otherwise the reference's counts. labels: these alone; None: all but 0 that either has. Undefined scores are NaN.
    empty: what overlap is where neither has the label, "undefined", "one" or "zero".
    """
    if empty not in _EMPTY:
        raise ValueError(f'empty is "{empty}", want one of {", ".join(_EMPTY)}')
    if not (tolerance_mm > 0 and math.isfinite(tolerance_mm)):
        raise ValueError(f"tolerance_mm is {tolerance_mm}, want more than 0")
    known = spacing
    if known is None:
        known = next((s.spacing for s in (reference, prediction) if isinstance(s, Scan)), None)
    ref = _scan(reference, spacing if spacing is not None else _spacing_for(reference, known))
    pred = _scan(prediction, spacing if spacing is not None else _spacing_for(prediction, ref.spacing))
    options = _library.ScoresOptions(size=sizeof(_library.ScoresOptions), tolerance_mm=tolerance_mm, empty=_EMPTY[empty],
                                     hd95_directed=hd95_directed, assd_directed=assd_directed, nsd_surfels=nsd_surfels)
    if labels is not None:
        asked = [int(v) for v in labels]
        options.labels, options.n_labels = (ctypes.c_int64 * max(1, len(asked)))(*asked), len(asked)
    a, b = pred._view(), ref._view()
    made = _library.made("hardy_scores_new", byref(a.image), byref(b.image), byref(options))
    scores = _Handle(made, lib.hardy_scores_free)
    names = [lib.hardy_score_name(k).decode() for k in range(_library.N_SCORES)]
    found: dict[int, dict[str, Any]] = {}
    for i in range(lib.hardy_scores_n(scores.pointer)):
        row: dict[str, Any] = {"state": lib.hardy_row_state_name(lib.hardy_scores_state(scores.pointer, i)).decode()}
        row.update({name: lib.hardy_scores_value(scores.pointer, i, k) for k, name in enumerate(names)})
        found[lib.hardy_scores_label(scores.pointer, i)] = row
    return found


def _spacing_for(given: Any, other: Sequence[float] | None) -> Sequence[float] | None:
    """Bare arrays have no spacing of their own."""
    bare = not isinstance(given, (str, os.PathLike, Scan, Prediction)) and not hasattr(given, "affine")
    return other if bare else None


# ---- training ---------------------------------------------------------------------------------------------------------------

_KINDS = ["switch", "whole", "real", "time", "pair", "spacing", "choice", "text", "texts"]
_WARNING, _LENGTHS = 2, ("epochs", "iterations", "budget_s", "budget")


def _table(command: str) -> Any:
    found = lib.hardy_options_of(command.encode())
    if not found:
        raise ValueError(f'"{command}" is no command with options')
    return found


def options(command: str = "train") -> list[dict[str, Any]]:
    """The options of a command of the program, as its --help has them: name, type, default (as text; None: off or not given), range, choices,
    and what each does."""
    table = _table(command).contents
    rows = []
    for i in range(table.n):
        r = table.rows[i]
        text = {key: value.decode() if value else None for key, value in (("default", r.usual), ("choices", r.choices))}
        rows.append({"name": r.name.decode(), "type": _KINDS[r.type], "default": text["default"],
                     "range": (r.low, r.high) if r.low or r.high else None,
                     "choices": text["choices"].split("|") if text["choices"] else None, "about": r.about.decode()})
    return rows


def _text_of(value: Any) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(_text_of(v) for v in value)
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else str(value)


class _Watch:
    """What is heard of a training. An exception in the caller's function, and Ctrl-C, stop the training after it has saved its state."""

    def __init__(self, progress: Callable[[str], Any] | None) -> None:
        self.progress, self.failed, self.ended = progress, None, False
        self.log = _library.Log(emit=_library.Log.EMIT(self._emit))
        self.stop = _library.Stop(asked=_library.Stop.ASKED(self._asked))

    def _emit(self, _payload: Any, level: int, line: bytes) -> None:
        try:
            text = line.decode("utf-8", "replace")
            if level == _WARNING:
                warnings.warn(text, stacklevel=4)
            elif self.progress and not self.failed:
                self.ended |= self.progress(text) is True
        except BaseException as error:  # noqa: B902: it is raised again by train
            self.failed = self.failed or error

    def _asked(self, _payload: Any) -> bool:
        return self.ended or self.failed is not None

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it Ctrl-C is kept until the training asks: an exception that Python raised at the entry of a callback would be lost."""
        mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler

        def note(_number: int, _frame: Any) -> None:
            self.failed = self.failed or KeyboardInterrupt()

        if mine:
            signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            if mine:
                signal.signal(signal.SIGINT, signal.default_int_handler)


def train(data: PathLike, output: PathLike, *, preset: str | None = None, recipe: str | None = None, resume: bool = False,
          progress: Callable[[str], Any] | None = None, **options: Any) -> Model:
    """Trains a model on a folder of labelled scans, as `hardy train DATA -o OUTPUT` does, and gives the model that counts.

    options are those of hardy.options("train"), by name: iterations=600, percentile=(1, 99), minmax=False, budget_s="45m". preset is "quick" or
    "hour"; recipe as in docs/RECIPES.md. progress is called with each line that the program would show; when it returns True, and on Ctrl-C, the
    training saves its state and ends (HardyError "interrupted", KeyboardInterrupt), and the same call with resume=True goes on.
    Warnings are Python's.
    """
    table = _table("train")
    values = ctypes.create_string_buffer(table.contents.size)
    texts = ctypes.c_void_p()  # of the options of a run that goes on
    kept = [os.fsencode(data), os.fsencode(output)]  # texts that the options point to
    words = {"data": kept[0], "output": kept[1]}
    for name, value in options.items():
        if not lib.hardy_option_find(table, name.encode()):
            raise TypeError(f'train has no option "{name}"; hardy.options("train") lists them')
        if value is not None:
            words[name] = os.fsencode(_text_of(value))
    if resume:
        words["resume"] = b"on"
    recipe_text, preset_text = recipe and recipe.encode(), preset and preset.encode()
    if resume:
        _library.call("hardy_train_options_read", values, byref(texts), kept[1])
    else:
        _library.call("hardy_train_options_init", values, preset_text, recipe_text)
    if any(name in words for name in _LENGTHS):
        lib.hardy_train_options_drop_length(values)
    try:
        for name, text in words.items():
            _library.call("hardy_option_set", lib.hardy_option_find(table, name.encode()), values, text)
        watch = _Watch(progress)
        error: HardyError | None = None
        try:
            with watch.interruptible():
                _library.call("hardy_train", values, byref(watch.log), byref(watch.stop))
        except HardyError as raised:
            error = raised
        if watch.failed:
            raise watch.failed
        if error:
            raise error
    finally:
        lib.hardy_texts_free(texts)
    return Model(output)
