"""The C library as ctypes sees it: finding it, the structs of its headers, and what each function takes and gives."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_void_p
from typing import Any

STATUS = ["ok", "argument", "io", "format", "unsupported", "data", "numeric", "memory", "interrupted", "partial", "threshold"]
N_SCORES = 11


class Error(Structure):
    """hardy_error"""

    _fields_ = [("status", c_int), ("message", c_char * 1024)]


class Log(Structure):
    """hardy_log"""

    EMIT = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
    _fields_ = [("emit", EMIT), ("payload", c_void_p)]


class Image(Structure):
    """hardy_image"""

    _fields_ = [("size", c_size_t), ("data", c_void_p), ("type", c_int), ("shape", c_int64 * 4), ("stride", c_int64 * 4),
                ("spacing_mm", c_double * 3), ("affine", (c_double * 4) * 3)]


class PredictorOptions(Structure):
    """hardy_predictor_options"""

    _fields_ = [("size", c_size_t), ("network", c_char_p), ("components", c_char_p), ("tta", c_char_p), ("window", c_char_p),
                ("precision", c_char_p), ("probabilities", c_bool), ("entropy", c_bool), ("labels_only", c_bool),
                ("adapt", c_bool), ("stn_iterations", c_int64), ("batch", c_int64), ("threads", c_int64)]


class Quality(Structure):
    """hardy_quality"""

    _fields_ = [("size", c_size_t), ("predicted_dice", c_double), ("predicted_low", c_double), ("mean_entropy", c_double),
                ("disagreement", c_double), ("reconstruction_error", c_double), ("reconstruction_z", c_double),
                ("n_warnings", c_int), ("warnings", c_char_p)]


class ScoresOptions(Structure):
    """hardy_scores_options"""

    _fields_ = [("size", c_size_t), ("labels", POINTER(c_int64)), ("n_labels", c_size_t), ("tolerance_mm", c_double),
                ("empty", c_int), ("hd95_directed", c_bool), ("assd_directed", c_bool), ("nsd_surfels", c_bool)]


class Stop(Structure):
    """hardy_stop"""

    ASKED = ctypes.CFUNCTYPE(c_bool, c_void_p)
    _fields_ = [("asked", ASKED), ("payload", c_void_p)]


class Option(Structure):
    """hardy_option"""

    _fields_ = [("name", c_char_p), ("type", c_int), ("offset", c_size_t), ("value", c_char_p), ("about", c_char_p), ("usual", c_char_p),
                ("low", c_double), ("high", c_double), ("choices", c_char_p), ("word", c_char_p), ("use", ctypes.c_uint), ("heading", c_int)]


class Options(Structure):
    """hardy_options"""

    _fields_ = [("command", c_char_p), ("rows", POINTER(Option)), ("n", c_size_t), ("size", c_size_t), ("headings", POINTER(c_char_p))]


STRUCTS = {"hardy_error": Error, "hardy_log": Log, "hardy_image": Image, "hardy_predictor_options": PredictorOptions,
           "hardy_quality": Quality, "hardy_scores_options": ScoresOptions, "hardy_stop": Stop, "hardy_option": Option,
           "hardy_options": Options}

_STATUS, _OUT, _ERR = c_int, POINTER(c_void_p), POINTER(Error)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "hardy_version": (c_char_p, []),
    "hardy_volume_read": (_STATUS, [c_char_p, _OUT, POINTER(Log), _ERR]),
    "hardy_volume_free": (None, [c_void_p]),
    "hardy_volume_image": (POINTER(Image), [c_void_p]),
    "hardy_image_write": (_STATUS, [POINTER(Image), c_char_p, c_void_p, c_bool, _ERR]),
    "hardy_model_load": (_STATUS, [c_char_p, _OUT, _ERR]),
    "hardy_model_load_memory": (_STATUS, [c_char_p, c_size_t, c_char_p, _OUT, _ERR]),
    "hardy_model_free": (None, [c_void_p]),
    "hardy_model_n_classes": (c_int, [c_void_p]),
    "hardy_model_class_name": (c_char_p, [c_void_p, c_int]),
    "hardy_model_class_value": (c_int, [c_void_p, c_int]),
    "hardy_model_n_channels": (c_int, [c_void_p]),
    "hardy_model_channel_name": (c_char_p, [c_void_p, c_int]),
    "hardy_model_network": (c_char_p, [c_void_p]),
    "hardy_model_is_calibrated": (c_bool, [c_void_p]),
    "hardy_model_plan": (c_char_p, [c_void_p]),
    "hardy_model_card": (c_char_p, [c_void_p]),
    "hardy_predictor_new": (_STATUS, [c_void_p, POINTER(PredictorOptions), _OUT, _ERR]),
    "hardy_predictor_add": (_STATUS, [c_void_p, c_void_p, _ERR]),
    "hardy_predictor_free": (None, [c_void_p]),
    "hardy_predictor_run": (_STATUS, [c_void_p, POINTER(Image), _OUT, _ERR]),
    "hardy_prediction_free": (None, [c_void_p]),
    "hardy_prediction_n_frames": (c_int64, [c_void_p]),
    "hardy_prediction_labels": (POINTER(Image), [c_void_p]),
    "hardy_prediction_probabilities": (POINTER(Image), [c_void_p, c_int]),
    "hardy_prediction_entropy": (POINTER(Image), [c_void_p]),
    "hardy_prediction_volume_ml": (c_double, [c_void_p, c_int64, c_int]),
    "hardy_prediction_quality": (_STATUS, [c_void_p, c_int64, POINTER(Quality), _ERR]),
    "hardy_scores_new": (_STATUS, [POINTER(Image), POINTER(Image), POINTER(ScoresOptions), _OUT, _ERR]),
    "hardy_scores_free": (None, [c_void_p]),
    "hardy_scores_n": (c_size_t, [c_void_p]),
    "hardy_scores_label": (c_int64, [c_void_p, c_size_t]),
    "hardy_scores_state": (c_int, [c_void_p, c_size_t]),
    "hardy_scores_value": (c_double, [c_void_p, c_size_t, c_int]),
    "hardy_options_of": (POINTER(Options), [c_char_p]),
    "hardy_option_find": (POINTER(Option), [POINTER(Options), c_char_p]),
    "hardy_option_set": (_STATUS, [POINTER(Option), c_void_p, c_char_p, _ERR]),
    "hardy_train_options_init": (_STATUS, [c_void_p, c_char_p, c_char_p, _ERR]),
    "hardy_train_options_drop_length": (None, [c_void_p]),
    "hardy_train_options_read": (_STATUS, [c_void_p, POINTER(c_void_p), c_char_p, _ERR]),
    "hardy_texts_free": (None, [c_void_p]),
    "hardy_train": (_STATUS, [c_void_p, POINTER(Log), POINTER(Stop), _ERR]),
    "hardy_score_name": (c_char_p, [c_int]),
    "hardy_row_state_name": (c_char_p, [c_int]),
}


class HardyError(Exception):
    """What the library refused or could not do; `status` is one of hardy.STATUS, the text names what was found and what was wanted."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


def _candidates() -> list[str]:
    """HARDY_LIBRARY alone where it is set; else the library of this package, else the system's."""
    if "HARDY_LIBRARY" in os.environ:
        return [os.environ["HARDY_LIBRARY"]]
    here = os.path.dirname(os.path.abspath(__file__))
    own = [os.path.join(here, name) for name in ("_hardy.so", "_hardy.dylib")]
    return [path for path in own if os.path.exists(path)] + [ctypes.util.find_library("hardy") or "libhardy.so.0"]


def _load() -> ctypes.CDLL:
    tried = []
    for path in _candidates():
        try:
            found = ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(found, name)
                function.restype, function.argtypes = result, arguments
            return found
        except (OSError, AttributeError) as error:
            tried.append(f"{path}: {error}")
    raise ImportError("the hardy library is not there; HARDY_LIBRARY may name it. " + "; ".join(tried))


lib = _load()


def call(name: str, *arguments: Any) -> None:
    """Calls a function whose last parameter is a hardy_error, and raises what it says."""
    error = Error()
    status = getattr(lib, name)(*arguments, byref(error))
    if status:
        text = error.message.decode("utf-8", "replace")
        raise HardyError(STATUS[status] if status < len(STATUS) else str(status), text)


def made(name: str, *arguments: Any) -> c_void_p:
    """The same of a function that gives an object through the parameter before its last."""
    out = c_void_p()
    call(name, *arguments, byref(out))
    return out
