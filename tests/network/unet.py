"""Records what a U-Net written in PyTorch computes, for tests/network/unet.c: python3 tests/network/unet.py (needs torch and safetensors).

Weights are drawn, the network is small (3 grids, 2 channels, 3 classes), values are computed in double precision. A tolerance is twenty
times what the same program differs by in single precision, and at least 2e-6 of the largest value: hardy adds in another order, and its
convolutions by transforms of tiles round more. Where rounding turns an activation across its kink or makes another of four pixels the
largest, gradients jump; so seeds are tried until no activation lies that close, and no two candidates of max pooling.
"""
import json
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.numpy import save_file

CLOSE = 1e-5
WIDTH, LEVELS, CHANNELS, CLASSES, SIZE, BATCH, RATE = 16, 3, 2, 3, 32, 3, 0.05
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "unet")


def pair(inputs, outputs):
    def one(n):
        return nn.Sequential(nn.Conv2d(n, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.01))

    return nn.Sequential(one(inputs), one(outputs))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [WIDTH << i for i in range(LEVELS)]
        self.down = nn.ModuleList([pair(CHANNELS if i == 0 else widths[i - 1], w) for i, w in enumerate(widths)])
        self.up = nn.ModuleList([pair(3 * w, w) for w in reversed(widths[:-1])])
        self.out = nn.Conv2d(WIDTH, CLASSES, 1)

    def forward(self, x):
        skips = []
        for i, stage in enumerate(self.down):
            x = stage(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for i, stage in enumerate(self.up):
            x = stage(torch.cat((F.interpolate(x, scale_factor=2, mode="nearest"), skips[LEVELS - 2 - i]), 1))
        return self.out(x)


def margin(state, image):
    """The least distance of an activation from 0 and of a pooled value from the next smaller of its four, in training."""
    least = [1.0]
    net = Net().double()
    net.load_state_dict({k: v.double() if v.is_floating_point() else v for k, v in state.items()})

    def look(module, inputs, output):
        least[0] = min(least[0], output.detach().abs().min().item())

    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.register_forward_hook(look)

    def look_at_pool(module, inputs, output):
        v = output.detach()
        four = torch.stack([v[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]).sort(0).values
        least[0] = min(least[0], (four[3] - four[2]).min().item())

    for stage in list(net.down)[:-1]:
        stage.register_forward_hook(look_at_pool)
    net(image.double())
    return least[0]


def losses(logits, label):
    p = logits.softmax(1)
    y = F.one_hot(label, CLASSES).permute(0, 3, 1, 2).to(p.dtype)
    both, each = (p * y).sum((0, 2, 3))[1:], (p + y).sum((0, 2, 3))[1:]
    return F.cross_entropy(logits, label), 1 - ((2 * both + 1) / (each + 1)).mean()


def draw(generator):
    state = {}
    for name, t in Net().state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros_like(t)
            continue
        v = torch.randn(t.shape, generator=generator)
        if name.endswith("running_var"):
            v = 0.5 + v.abs()
        elif t.dim() == 4:
            v = v * (2.0 / (t.shape[1] * t.shape[2] * t.shape[3])) ** 0.5
        elif name.endswith("weight"):
            v = 1 + 0.2 * v
        else:
            v = 0.2 * v
        state[name] = v.float()
    return state


def run(state, image, label, dtype):
    out = {}
    net = Net().to(dtype)
    net.load_state_dict({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()})
    x = image.to(dtype)
    net.eval()
    with torch.no_grad():
        out["logits"] = net(x).numpy()
    net.train()
    ce, dice = losses(net(x), label)
    (ce + dice).backward()
    out["loss"] = np.array([ce.item(), dice.item()])
    out["grad"] = {k: p.grad.numpy().copy() for k, p in net.named_parameters()}
    out["stats"] = {k: b.numpy().copy() for k, b in net.named_buffers() if not k.endswith("tracked")}
    net.load_state_dict({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()})
    curve = []
    for _ in range(12):
        net.zero_grad()
        ce, dice = losses(net(x), label)
        (ce + dice).backward()
        curve.append([ce.item(), dice.item()])
        with torch.no_grad():
            for p in net.parameters():
                p -= RATE * p.grad
    out["curve"] = np.array(curve)
    return out


def allowed(exact, single):
    return float(max(20 * np.abs(np.asarray(exact) - single).max(), 2e-6 * np.abs(exact).max()))


def tensors(exact, single, generator):
    made = {}
    for name, v in exact.items():
        flat, other = v.ravel(), single[name].ravel()
        index = sorted(torch.randperm(flat.size, generator=generator)[:24].tolist())
        l2 = float(np.sqrt((flat.astype(float) ** 2).sum()))
        made[name] = {
            "n": int(flat.size),
            "l2": l2,
            "l2_tolerance": max(20 * abs(l2 - float(np.sqrt((other.astype(float) ** 2).sum()))), 1e-5 * l2),
            "index": index,
            "sample": [float(flat[i]) for i in index],
            "sample_tolerance": allowed(flat, other),
        }
    return made


def main():
    torch.set_num_threads(1)
    seed = 0
    while True:
        g = torch.Generator().manual_seed(seed)
        state = draw(g)
        image = torch.rand(BATCH, CHANNELS, SIZE, SIZE, generator=g)
        if margin(state, image) > CLOSE:
            break
        seed += 1
    label = torch.randint(0, CLASSES, (BATCH, SIZE // 8, SIZE // 8), generator=g).repeat_interleave(8, 1).repeat_interleave(8, 2)
    exact, single = run(state, image, label, torch.float64), run(state, image, label, torch.float32)
    os.makedirs(HERE, exist_ok=True)
    np.save(os.path.join(HERE, "image.npy"), image.numpy())
    np.save(os.path.join(HERE, "label.npy"), label.numpy().astype(np.uint8))
    np.save(os.path.join(HERE, "logits.npy"), exact["logits"])
    save_file({k: v.numpy() for k, v in state.items()}, os.path.join(HERE, "weights.safetensors"))
    manifest = {
        "made_by": "tests/network/unet.py, torch " + torch.__version__,
        "seed": seed,
        "width": WIDTH,
        "levels": LEVELS,
        "image": "image.npy",
        "label": "label.npy",
        "logits": {"file": "logits.npy", "tolerance": allowed(exact["logits"], single["logits"])},
        "loss": {"values": exact["loss"].tolist(), "tolerance": allowed(exact["loss"], single["loss"])},
        "grad": tensors(exact["grad"], single["grad"], g),
        "running_stats_after": tensors(exact["stats"], single["stats"], g),
        "curve": {
            "rate": RATE,
            "values": exact["curve"].tolist(),
            # after the first step weights are what they are, and activations may cross their kinks: up to 2e-4 was seen
            "tolerance": [max(allowed(e, s), 5e-4 * (k > 0)) for k, (e, s) in enumerate(zip(exact["curve"], single["curve"]))],
        },
    }
    with open(os.path.join(HERE, "MANIFEST.json"), "w") as f:
        json.dump(manifest, f, indent=1)


main()
