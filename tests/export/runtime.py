"""Runs FOLDER/model.onnx on FOLDER/image.raw and compares with FOLDER/logits.raw: runtime.py FOLDER N CHANNELS CLASSES HEIGHT WIDTH."""
import sys

import numpy as np
import onnxruntime

LIMIT = 1e-4  # of probabilities; of logits, which drawn weights make large, for each of the largest's size


def main():
    folder = sys.argv[1]
    n, channels, classes, height, width = map(int, sys.argv[2:])
    image = np.fromfile(f"{folder}/image.raw", np.float32).reshape(n, channels, height, width)
    wanted = np.fromfile(f"{folder}/logits.raw", np.float32).reshape(n, classes, height, width)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
    logits, probabilities = session.run(["logits", "probabilities"], {"image": image})
    power = np.exp(wanted - wanted.max(1, keepdims=True))
    apart = [np.abs(logits - wanted).max() / max(1, np.abs(wanted).max()), np.abs(probabilities - power / power.sum(1, keepdims=True)).max()]
    print(f"logits of {np.abs(wanted).max():.2f} at most differ by {apart[0]:.1e} of that, probabilities by {apart[1]:.1e}")
    assert wanted.std() > 0.01, "the logits are all alike: this shows nothing"
    assert logits.shape == wanted.shape and max(apart) < LIMIT, f"{max(apart)}, want less than {LIMIT}"


main()
