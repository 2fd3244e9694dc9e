#!/usr/bin/env python3
"""The U-Net of hardy in other programs, timed: a training step in PyTorch, inference in PyTorch, ONNX Runtime and OpenVINO.

    bench/unet_peers.py step  [--size 96 --batch 10 --threads 2 --steps 10 --bf16 --compile]
    bench/unet_peers.py infer [--size 96 --slices 10 --threads 2 --steps 10]

Prints a JSON line for each program and memory layout, with the least and the median of the steps. Wants torch; infer leaves out
ONNX Runtime and OpenVINO where they are not installed. bench/compare --network unet calls it.

The network is unet_torch.py's; the step is forward, cross-entropy + soft Dice, backward and Adam.
"""
import argparse
import json
import os
import resource
import statistics
import tempfile
import time
import warnings


def read_options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("what", choices=("step", "infer"))
    for name, value in (("size", 96), ("batch", 10), ("slices", 10), ("threads", 2), ("steps", 10), ("width", 16), ("levels", 5)):
        p.add_argument("--" + name, type=int, default=value, help="[%(default)s]")
    p.add_argument("--bf16", action="store_true", help="step: under autocast to bfloat16")
    p.add_argument("--compile", action="store_true", help="step: torch.compile, too")
    return p.parse_args()


o = read_options()
os.environ["OMP_NUM_THREADS"] = str(o.threads)
warnings.filterwarnings("ignore")
import torch  # noqa: E402: reads the number of threads when it is imported

from unet_torch import CLASSES, UNet, loss_of  # noqa: E402

torch.set_num_threads(o.threads)


def clock(engine, version, run):
    run(), run()
    seconds = []
    for _ in range(o.steps):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"engine": engine, "version": version, "what": o.what, "size": o.size, "threads": o.threads,
                      "slices": o.batch if o.what == "step" else o.slices, "min_s": round(min(seconds), 5),
                      "median_s": round(statistics.median(seconds), 5),
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


def step():
    y = torch.randint(0, CLASSES, (o.batch, o.size, o.size))
    for name, layout in (("torch", torch.contiguous_format), ("torch channels-last", torch.channels_last)):
        net = UNet(o.width, o.levels).to(memory_format=layout)
        adam = torch.optim.Adam(net.parameters(), lr=1e-3)
        x = torch.rand(o.batch, 1, o.size, o.size).contiguous(memory_format=layout)

        def run(forward=net, adam=adam, x=x):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=o.bf16):
                logits = forward(x)
            value = loss_of(logits, y)
            adam.zero_grad()
            value.backward()
            adam.step()

        clock(name + (" bf16" if o.bf16 else ""), torch.__version__, run)
        if o.compile:
            compiled = torch.compile(net)
            clock(name + " compiled", torch.__version__, lambda: run(forward=compiled))


def infer():
    x = torch.rand(o.slices, 1, o.size, o.size)
    net = UNet(o.width, o.levels).eval()
    folder = tempfile.TemporaryDirectory()  # removed with the function's end
    path = os.path.join(folder.name, "unet.onnx")
    with torch.inference_mode():
        clock("torch", torch.__version__, lambda: net(x))
        last, moved = UNet(o.width, o.levels).eval().to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
        clock("torch channels-last", torch.__version__, lambda: last(moved))
    try:
        import onnx  # noqa: F401: the exporter wants it
        torch.onnx.export(net, (x,), path, dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}})
    except ImportError:
        return
    try:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = o.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        clock("onnxruntime", onnxruntime.__version__, lambda: session.run(None, {"x": x.numpy()}))
    except ImportError:
        pass
    try:
        import openvino
        core = openvino.Core()
        request = core.compile_model(core.read_model(path), "CPU", {
            "INFERENCE_NUM_THREADS": o.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        clock("openvino", openvino.__version__, lambda: request.infer({0: x.numpy()}))
    except ImportError:
        pass


torch.manual_seed(0)
step() if o.what == "step" else infer()
