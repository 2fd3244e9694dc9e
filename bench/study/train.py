#!/usr/bin/env python3
"""The study's two trainings at the published setting in PyTorch, on a GPU if there is one (README.md).

    train.py SLICES.xz OUT --reference MODEL.py [--recipe cooperative|standard] [--epochs 600] [--seed 0] [--seconds S] [--bf16]

SLICES.xz comes from prepare.py. MODEL.py defines the networks and the losses of a step (Model, losses, hard_examples, frozen_norm).
OUT.csv gets a line for each epoch: epoch, steps, seconds, loss, and on the validation slices mean IoU and Dice of FTN and FTN+STN.
OUT.best.safetensors holds the weights of the best IoU of FTN+STN, OUT.last.safetensors the last ones: hardy reads both. A training that
finds OUT.state goes on. Nothing of a step waits for the processor: a step is one of nine CUDA graphs, by masking schemes.
"""
import argparse
import importlib.util
import lzma
import math
import os
import pickle
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
SIDE, CANVAS, BATCH, CLASSES, NOISE, RATE = 192, 320, 10, 4, 0.05, 1e-4
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True


class Draws:
    """Random numbers made on the device."""

    def __init__(self, seed):
        self.g = torch.Generator(device=DEVICE)
        self.g.manual_seed(seed)

    def uniform(self, low, high, *shape):
        return low + (high - low) * torch.rand(shape, device=DEVICE, generator=self.g)

    def coin(self, p, *shape):
        return torch.rand(shape, device=DEVICE, generator=self.g) < p


class Slices:
    def __init__(self, path):
        with lzma.open(path) as f:
            d = pickle.load(f)
        self.scan = d["scan"]
        self.has_label = d["plain_label"].any((1, 2))
        self.t = {k: torch.from_numpy(v).to(DEVICE) for k, v in d.items()}

    def epoch(self, rng):
        """Every slice once, in batches; one without labels makes room for another slice of its scan."""
        order = rng.permutation(len(self.scan))
        for k, n in enumerate(order):
            if not self.has_label[n]:
                order[k] = rng.choice(np.flatnonzero((self.scan == self.scan[n]) & self.has_label))
        return order[:len(order) // BATCH * BATCH]


# ---- augmentation: ../../docs/TRAINING.md, --augment of the preset "paper" --------------------------------------------------------------
def sample(x, rows, columns, mode, padding):
    grid = torch.stack([columns, rows], -1) * (2 / (CANVAS - 1)) - 1
    return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=True)


def augment(draws, x, y, height, width):
    """Ten slices and labels on the canvas become 192 x 192: flips, brightness, affine, a rotation of eight, elastic, cut, 0 to 1."""
    n = len(x)
    u = lambda low, high: draws.uniform(low, high, n, 1, 1)
    h, w = height.view(n, 1, 1).float(), width.view(n, 1, 1).float()
    top, left = ((CANVAS - h) / 2).floor(), ((CANVAS - w) / 2).floor()
    middle_row, middle_column = top + h / 2 - 0.5, left + w / 2 - 0.5
    at = torch.arange(CANVAS, device=DEVICE, dtype=torch.float32)
    row, column = at.view(1, -1, 1), at.view(1, 1, -1)

    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    brighter = torch.minimum(torch.maximum(u(0.8, 1.2) * x + u(-0.1, 0.1), low), high)
    x = torch.where(draws.coin(0.5, n, 1, 1), brighter, x)
    one_hot = (y[:, None] == torch.arange(CLASSES, device=DEVICE).view(1, -1, 1, 1)).float()
    both = torch.cat([x[:, None], y[:, None].float()], 1)

    def turn(both, angle, zoom_row, zoom_column, shift_row, shift_column, flip_row, flip_column):
        r, c = (row - middle_row) * zoom_row + shift_row, (column - middle_column) * zoom_column + shift_column
        cos, sin = torch.cos(angle), torch.sin(angle)
        r, c = flip_row * (cos * r - sin * c) + middle_row, flip_column * (sin * r + cos * c) + middle_column
        r = torch.maximum(torch.minimum(r, top + h - 2), top)
        c = torch.maximum(torch.minimum(c, left + w - 2), left)
        return torch.cat([sample(both[:, :1], r, c, "bilinear", "border"), sample(both[:, 1:], r, c, "nearest", "border")], 1)

    one, none = torch.ones(n, 1, 1, device=DEVICE), torch.zeros(n, 1, 1, device=DEVICE)
    sign = lambda: 1 - 2 * draws.coin(0.2, n, 1, 1).float()
    both = turn(both, u(-15, 15) * math.pi / 180, u(0.8, 1.1), u(0.8, 1.1), u(-0.1, 0.1) * h, u(-0.1, 0.1) * w, sign(), sign())
    eighth = (draws.uniform(0, 8, n, 1, 1)).floor().clamp(max=7)
    both = turn(both, eighth * math.pi / 4, one, one, none, none, one, one)

    # elastic: uniform noise, blurred by a Gaussian that ends at the slice's border, times alpha
    sd, alpha = u(0.1, 0.2) * h * 0.75, u(1.5, 2) * h * draws.coin(0.5, n, 1, 1).float()
    blur = torch.exp(-0.5 * ((at.view(1, -1, 1) - at.view(1, 1, -1)) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    inside = ((row >= top) & (row < top + h) & (column >= left) & (column < left + w)).float()
    move = [alpha * (blur @ (draws.uniform(-1, 1, n, CANVAS, CANVAS) * inside) @ blur) for _ in range(2)]
    first_row, first_column = (a + ((b - SIDE) / 2).ceil() for a, b in ((top, h), (left, w)))
    r = first_row.long() + torch.arange(SIDE, device=DEVICE).view(1, -1, 1)
    c = first_column.long() + torch.arange(SIDE, device=DEVICE).view(1, 1, -1)
    k = torch.arange(n, device=DEVICE).view(n, 1, 1)
    rows, columns = r + move[1][k, r, c], c + move[0][k, r, c]
    x = sample(both[:, :1], rows, columns, "bicubic", "reflection")
    one_hot = (both[:, 1:] == torch.arange(CLASSES, device=DEVICE).view(1, -1, 1, 1)).float()
    share = sample(one_hot, rows, columns, "bicubic", "border")
    y = torch.zeros(n, SIDE, SIDE, dtype=torch.long, device=DEVICE)
    for value in range(1, CLASSES):
        y = torch.where(share[:, value] >= 0.5, torch.full_like(y, value), y)
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low + 1e-8), y


# ---- the training ------------------------------------------------------------------------------------------------------------------------
def mask_on_device(draws):
    """draw_mask of the reference without a number that the processor waits for."""

    def draw_mask(z, decoder, loss, scheme, g, p_max=0.5, a_max=0.5):
        n, channels, h, w = z.shape
        if scheme == "dropout":
            return (draws.uniform(0, 1, n, channels, 1, 1) >= p_max).float() / (1 - p_max)
        z = z.detach().requires_grad_(True)
        (grad,) = torch.autograd.grad(loss(decoder(z)), [z])
        score = grad.mean((2, 3)) if scheme == "channel" else grad.mean(1).flatten(1)
        k = (score.shape[1] * p_max * draws.uniform(0, 1, 1)).long().view(1, 1).expand(n, 1)
        threshold = score.sort(1, descending=True)[0].gather(1, k)
        mask = torch.where(score > threshold, a_max * draws.uniform(0, 1, *score.shape), torch.ones_like(score))
        return mask.view(n, channels, 1, 1) if scheme == "channel" else mask.view(n, 1, h, w)

    return draw_mask


class Training:
    def __init__(self, a, slices):
        spec = importlib.util.spec_from_file_location("reference", a.reference)
        self.ref = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.ref)
        self.a, self.slices, self.draws = a, slices, Draws(a.seed)
        self.ref.draw_mask = mask_on_device(self.draws)
        self.cooperative = a.recipe == "cooperative"
        torch.manual_seed(a.seed)
        values = torch.arange(CLASSES, device=DEVICE).view(1, -1, 1, 1)
        self.ref.Model.onehot = lambda _, y: (y[:, None] == values).float()  # F.one_hot waits for the largest value
        self.net = self.ref.Model(CLASSES).to(DEVICE).to(memory_format=torch.channels_last).train()
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=RATE, fused=CUDA, capturable=CUDA)
        self.order = torch.zeros(len(slices.scan) // BATCH * BATCH, dtype=torch.long, device=DEVICE)
        self.at = torch.zeros(1, dtype=torch.long, device=DEVICE)
        self.loss_sum = torch.zeros((), device=DEVICE)
        self.kinds = [(i, s) for i in self.ref.SCHEMES for s in self.ref.SCHEMES] if self.cooperative else [None]
        self.graphs = {}
        self.steps, self.epoch, self.best, self.spent = 0, 0, -1.0, 0.0
        if CUDA:
            self.capture()

    def batch(self):
        t = self.slices.t
        k = self.order[(self.at + torch.arange(BATCH, device=DEVICE)) % len(self.order)]
        x, y = augment(self.draws, t["canvas"][k].float() / 255, t["canvas_label"][k].long(), t["height"][k], t["width"][k])
        plain = t["plain"][k][:, None].float() / 255
        x = torch.cat([x, plain]).contiguous(memory_format=torch.channels_last)
        return x, torch.cat([y, t["plain_label"][k].long()])

    def step(self, kind):
        m, ref = self.net, self.ref
        self.optimiser.zero_grad(set_to_none=False)
        x, y = self.batch()
        x_in = (x + NOISE * torch.randn(x.shape, device=DEVICE, generator=self.draws.g)).clamp(0, 1)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=self.a.bf16, cache_enabled=False):
            z_i, z_s, terms = ref.losses(m, x_in, x, y)
            if kind:
                x_hat, p_hat = ref.hard_examples(m, z_i, z_s, x, y, None, kind)
                with ref.frozen_norm(m.image_encoder, m.segmentation_decoder, m.shape_encoder, m.shape_decoder):
                    terms += ref.losses(m, x_hat, x, y, with_label=False)[2]
                    terms.append(F.cross_entropy(m.refine(m.soften(p_hat)), y))
        loss = sum(terms)
        loss.backward()
        self.optimiser.step()
        self.loss_sum.add_(loss.detach())
        self.at.add_(BATCH)

    def capture(self):
        """One graph a pair of masking schemes; what the trials changed is put back."""
        state = {k: v.clone() for k, v in self.net.state_dict().items()}
        stream, pool = torch.cuda.Stream(), None
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for kind in self.kinds:
                self.step(kind)
        torch.cuda.synchronize()
        for kind in self.kinds:
            g = torch.cuda.CUDAGraph()
            g.register_generator_state(self.draws.g)
            with torch.cuda.graph(g, pool=pool, stream=stream):
                self.step(kind)
            pool = pool or g.pool()
            self.graphs[kind] = g
        torch.cuda.synchronize()
        with torch.no_grad():
            for k, v in self.net.state_dict().items():
                v.copy_(state[k])
            for s in self.optimiser.state.values():
                for v in s.values():
                    v.zero_()
        self.at.zero_(), self.loss_sum.zero_()
        torch.cuda.synchronize()

    @torch.no_grad()
    def validate(self):
        """Mean IoU and Dice over three classes, pixels of all slices together: FTN, FTN+STN."""
        self.net.eval()
        t, out = self.slices.t, []
        counts = torch.zeros(2, CLASSES, 3, device=DEVICE)
        for k in range(0, len(t["validation"]), 40):
            x, y = t["validation"][k:k + 40][:, None].float() / 255, t["validation_label"][k:k + 40].long()
            low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
            x = ((x - low) / (high - low + 1e-20)).contiguous(memory_format=torch.channels_last)
            p = self.net.predict(x)
            for i, q in enumerate((p, self.net.refine(self.net.soften(p)))):
                q = q.argmax(1)
                for c in range(1, CLASSES):
                    a, b = q == c, y == c
                    counts[i, c] += torch.stack([(a & b).sum(), a.sum(), b.sum()])
        self.net.train()
        both, a, b = counts[:, 1:].cpu().unbind(2)
        return (both / (a + b - both).clamp(min=1)).mean(1).tolist() + (2 * both / (a + b).clamp(min=1)).mean(1).tolist()

    def save(self, name):
        state = {k: v.detach().cpu().contiguous() for k, v in self.net.state_dict().items()}
        path = f"{self.a.out}.{name}.safetensors"
        save_file(state, path + ".part")
        os.replace(path + ".part", path)

    def run(self, end):
        rng = np.random.default_rng(self.a.seed)
        for _ in range(self.epoch):  # as before, when a training goes on
            self.slices.epoch(rng), rng.integers(0, len(self.kinds), len(self.order) // BATCH)
        began = time.time() - self.spent
        with open(self.a.out + ".csv", "a") as log:
            while self.epoch < self.a.epochs and time.time() < end:
                self.order.copy_(torch.from_numpy(self.slices.epoch(rng)))
                self.loss_sum.zero_(), self.at.zero_()
                n = len(self.order) // BATCH
                for k in rng.integers(0, len(self.kinds), n):
                    kind = self.kinds[k]
                    self.graphs[kind].replay() if CUDA else self.step(kind)
                self.steps, self.epoch, self.spent = self.steps + n, self.epoch + 1, time.time() - began
                scores = self.validate()
                if scores[1] > self.best:
                    self.best = scores[1]
                    self.save("best")
                print(self.epoch, self.steps, f"{self.spent:.1f}", f"{self.loss_sum.item() / n:.4f}", *(f"{s:.4f}" for s in scores),
                      sep=",", file=log, flush=True)
        self.save("last")
        state = dict(net=self.net.state_dict(), optimiser=self.optimiser.state_dict(), epoch=self.epoch, steps=self.steps,
                     best=self.best, spent=self.spent, draws=self.draws.g.get_state())
        torch.save(state, self.a.out + ".state")

    def go_on(self, path):
        state = torch.load(path, map_location="cpu", weights_only=False)
        with torch.no_grad():
            for k, v in self.net.state_dict().items():
                v.copy_(state["net"][k])
            for p, (_, old) in zip(self.net.parameters(), sorted(state["optimiser"]["state"].items())):
                for k, v in self.optimiser.state[p].items():
                    v.copy_(old[k])
        self.draws.g.set_state(state["draws"])
        self.epoch, self.steps, self.best, self.spent = (state[k] for k in ("epoch", "steps", "best", "spent"))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("slices")
    p.add_argument("out")
    p.add_argument("--reference", required=True, help="the file that defines Model, losses, hard_examples, frozen_norm")
    p.add_argument("--recipe", choices=("cooperative", "standard"), default="cooperative")
    p.add_argument("--epochs", type=int, default=600)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--seconds", type=float, default=math.inf, help="end then, and keep a state to go on from")
    p.add_argument("--bf16", action="store_true", help="multiply in bfloat16 instead of TF32")
    a = p.parse_args()
    end = time.time() + a.seconds
    training = Training(a, Slices(a.slices))
    if os.path.exists(a.out + ".state"):
        training.go_on(a.out + ".state")
    training.run(end)
    print(f"{a.out}: epoch {training.epoch}, step {training.steps}, {training.spent:.0f} s, best IoU {training.best:.4f}")


if __name__ == "__main__":
    main()
