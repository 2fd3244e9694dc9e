#!/usr/bin/env python3
"""Trains and scores the trainings of a list, several at a time, on a GPU if there is one (README.md).

    train.py SLICES.xz JOBS.json ROWS.jsonl [--slots N] [--seconds S]

ROWS.jsonl gets a line for each: what differs from DEFAULT, the Dice on the scans' own grids (validation plain and mirrored, validation spoiled by each
artefact, and with all_sets the test sets), and the training's seconds. Nothing of a step waits for the processor, so a step is one CUDA graph.
"""
import argparse
import fcntl
import json
import lzma
import math
import pickle
import time
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
CLASSES = 4
DEFAULT = dict(
    name="", seed=0, init=0, all_sets=False,
    # training
    steps=3000, batch=10, rate=4e-3, weight_decay=0.0, ema=0.99, smooth=0.0, size=96, spacing=2.0, edges=0.0, unlabelled=False,
    # network
    width=16, levels=5, top_skip=True, residual=False, strided=False, norm="batch", deep=False,
    # geometry and intensities; probabilities unless ranges
    rotation=180.0, mirror=0.5, zoom_low=0.7, zoom_high=1.4, intensities="hardy", strength=1.0, curve=0.5, clip=0.3, sharpness=0.4, noise=0.3,
    low_resolution=0.0, shade=0.0, shallow=0.0, gamma=0.0, invert=0.0, boxes=0.0,
    # passes of the study's kind
    masks=False, decoded=False, adversary=False, mix=False, styles=0, stn=False)

torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True


# ---- draws, one a sample, made on the device -------------------------------------------------------------------------------------------
def uniform(g, *shape):
    return torch.rand(shape, device=DEVICE, generator=g)


def normal(g, *shape):
    return torch.randn(shape, device=DEVICE, generator=g)


def between(g, n, low, high):
    return low + (high - low) * uniform(g, n, 1, 1, 1)


def coin(g, n, p):
    return uniform(g, n, 1, 1, 1) < p


# ---- network ---------------------------------------------------------------------------------------------------------------------------
class Norm(nn.Module):
    """Batch norm whose statistics can be a view of one flat tensor, and that can leave them alone; or instance norm."""

    def __init__(self, channels, kind):
        super().__init__()
        self.kind, self.learns = kind, True
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def forward(self, x):
        if self.kind == "instance":
            return F.instance_norm(x, None, None, self.weight, self.bias)
        if self.training and not self.learns:
            return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.1, 1e-5)
        return F.batch_norm(x, self.mean, self.var, self.weight, self.bias, self.training, 0.1, 1e-5)


class Double(nn.Module):
    def __init__(self, i, c, o, stride=1):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(i, c, 3, stride, 1, bias=False), Norm(c, o.norm)
        self.conv2, self.norm2 = nn.Conv2d(c, c, 3, 1, 1, bias=False), Norm(c, o.norm)
        self.residual = o.residual

    def forward(self, x):
        a = F.leaky_relu(self.norm1(self.conv1(x).contiguous(memory_format=torch.channels_last)), 0.01)
        b = self.norm2(self.conv2(a))
        return F.leaky_relu(b + a if self.residual else b, 0.01)


class UNet(nn.Module):
    def __init__(self, o, channels=1):
        super().__init__()
        widths = [o.width * 2**i for i in range(o.levels)]
        pairs = list(zip(widths[:0:-1], widths[-2::-1]))
        self.o = o
        self.down = nn.ModuleList(
            Double(i, c, o, 2 if o.strided and k else 1) for k, (i, c) in enumerate(zip([channels] + widths, widths)))
        self.up = nn.ModuleList(Double(i + (c if o.top_skip or c > o.width else 0), c, o) for i, c in pairs)
        self.out = nn.Conv2d(o.width, CLASSES, 1)
        if o.deep:
            self.heads = nn.ModuleList(nn.Conv2d(c, CLASSES, 1) for c in widths[1:3])
        if o.decoded or o.styles:  # an image decoder without skips
            self.image_up = nn.ModuleList(Double(i, c, o) for i, c in pairs)
            self.image_out = nn.Conv2d(o.width, 1, 1)

    def encode(self, x, g=None):
        kept = []
        for i, level in enumerate(self.down):
            x = level(F.max_pool2d(x, 2) if i and not self.o.strided else x)
            if self.o.mix and g is not None and i < 3:
                x = mix_styles(x, g)
            kept.append(x)
        return kept

    def decode(self, kept, coarse=None):
        x = kept[-1]
        for i, level in enumerate(self.up):
            x, top = F.interpolate(x, scale_factor=2), i == len(self.up) - 1
            x = level(torch.cat([x, kept[-2 - i]], 1) if self.o.top_skip or not top else x)
            k = len(self.up) - 2 - i
            if coarse is not None and self.o.deep and 0 <= k < 2:
                coarse.append((k, self.heads[k](x)))
        return self.out(x)

    def image(self, code):
        for level in self.image_up:
            code = level(F.interpolate(code, scale_factor=2))
        return torch.sigmoid(self.image_out(code))

    def forward(self, x):
        return self.decode(self.encode(x))


def style_of(x):
    return x.mean((2, 3), keepdim=True).detach(), (x.std((2, 3), keepdim=True) + 1e-5).detach()


def mix_styles(x, g):
    mean, sd = style_of(x)
    own = 1 - 0.5 * uniform(g, len(x), 1, 1, 1) * coin(g, len(x), 0.5)
    return (x - mean) / sd * (own * sd + (1 - own) * sd.roll(1, 0)) + own * mean + (1 - own) * mean.roll(1, 0)


def mask(x, g):
    """Channels, positions or elements of each sample become 0, up to half of them."""
    n, c, h, w = x.shape
    share, kind = 0.5 * uniform(g, n, 1, 1, 1), uniform(g, n, 1, 1, 1)
    channels, places = uniform(g, n, c, 1, 1) > share, uniform(g, n, 1, h, w) > share
    kept = torch.where(kind < 1 / 3, channels, torch.where(kind < 2 / 3, places, uniform(g, n, c, h, w) > share))
    return x * kept / (1 - share)


# ---- geometry and intensities (src/dataset/warp.c, src/dataset/randomise.c) --------------------------------------------------------------
def minmax(x):
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low + 1e-6)


def warp(o, g, x, y, rows, columns):
    n, side = len(x), x.shape[2]
    draw = lambda low, high: low + (high - low) * uniform(g, n, 1, 1)
    angle = draw(-o.rotation, o.rotation) * math.pi / 180
    across = 1 / draw(o.zoom_low, o.zoom_high)
    down = across * draw(0.9, 1.1)
    flip = 1 - 2 * (uniform(g, n, 1, 1) < o.mirror).float()
    cos, sin = torch.cos(angle), torch.sin(angle)
    row = down * cos * rows + flip * down * sin * columns + draw(-0.1, 0.1)
    column = -across * sin * rows + flip * across * cos * columns + draw(-0.1, 0.1)
    nodes = 0.02 * normal(g, n, 2, 5, 5) * coin(g, n, 0.5)
    field = F.interpolate(nodes, size=(o.size, o.size), mode="bicubic", align_corners=True)
    grid = torch.stack([column + field[:, 0], row + field[:, 1]], -1) * (o.size / side)
    label = None if y is None else F.grid_sample(y, grid, mode="nearest", align_corners=False)[:, 0].long()
    return F.grid_sample(x, grid, align_corners=False), label


def monotone(x, rise):
    """Monotone cubic interpolation of five points with these rises between them."""
    r = [rise[:, i].view(-1, 1, 1, 1) for i in range(4)]
    slope = [4 * r[0]] + [8 * r[i - 1] * r[i] / (r[i - 1] + r[i]) for i in (1, 2, 3)] + [4 * r[3]]
    piece = (x * 4).floor().clamp(0, 3)
    t = x * 4 - piece
    rest, at, out = 1 - t, 0, 0
    for i in range(4):
        value = at + r[i] * t * t * (3 - 2 * t) + slope[i] / 4 * t * rest * rest - slope[i + 1] / 4 * t * t * rest
        out = out + torch.where(piece == i, value, torch.zeros_like(value))
        at = at + r[i]
    return out


def blur(x, sd_rows, sd_columns, radius=6):
    def weights(sd):
        w = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=DEVICE) / sd.view(-1, 1)) ** 2)
        return w / w.sum(1, keepdim=True)

    n, t = len(x), x.transpose(0, 1)
    t = F.conv2d(F.pad(t, (0, 0, radius, radius), mode="replicate"), weights(sd_rows).view(n, 1, -1, 1), groups=n)
    t = F.conv2d(F.pad(t, (radius, radius, 0, 0), mode="replicate"), weights(sd_columns).view(n, 1, 1, -1), groups=n)
    return t.transpose(0, 1)


def lower_resolution(g, x, p):
    """Triangle-weighted means over pixels 1.2 to 2.5 times as large, along one axis or both, and linearly back."""
    n, side = len(x), x.shape[2]
    at = torch.arange(side, device=DEVICE, dtype=torch.float32)

    def there_and_back(factor):
        factor = factor.view(-1, 1, 1)
        place = (at.view(1, -1, 1) + 0.5) / factor - 0.5
        low, last = place.floor(), torch.floor(side / factor) - 1

        def mean(k):
            w = (1 - (at.view(1, 1, -1) - (k.clamp(min=0).minimum(last) + 0.5) * factor + 0.5).abs() / factor).clamp(min=0)
            return w / w.sum(2, keepdim=True)

        return (1 - place + low) * mean(low) + (place - low) * mean(low + 1)

    factor = between(g, n, 1.2, 2.5).view(-1)
    other = torch.where(uniform(g, n) < 0.5, torch.ones_like(factor), factor)
    swap = uniform(g, n) < 0.5
    rows, columns = torch.where(swap, factor, other), torch.where(swap, other, factor)
    low = there_and_back(rows) @ x[:, 0] @ there_and_back(columns).transpose(1, 2)
    return torch.where(coin(g, n, p), low[:, None], x)


def shade(g, x, p):
    field = F.interpolate(0.3 * normal(g, len(x), 1, 3, 3), size=x.shape[2:], mode="bicubic", align_corners=True)
    return torch.where(coin(g, len(x), p), x * torch.exp(field), x)


def shallow_convolutions(g, x, p):
    """Three random layers of 1 x 1 or 3 x 3, mixed with the image."""
    n, t = len(x), x.transpose(0, 1)
    e = (torch.arange(3, device=DEVICE) == 1).float()
    for into, out in ((1, 2), (2, 2), (2, 1)):
        w = normal(g, n, out, into, 3, 3) / math.sqrt(into * 3)
        w = torch.where(uniform(g, n, 1, 1, 1, 1) < 0.5, w * e[:, None] * e * math.sqrt(3), w)
        t = F.conv2d(t, w.reshape(n * out, into, 3, 3), padding=1, groups=n) + 0.2 * normal(g, n, out).reshape(1, n * out, 1, 1)
        t = F.leaky_relu(t, 0.1) if out > 1 else t
    share = uniform(g, n, 1, 1, 1)
    return torch.where(coin(g, n, p), share * x + (1 - share) * minmax(t.transpose(0, 1)), x)


def gamma(g, x, p):
    return torch.where(coin(g, len(x), p), x.clamp(min=1e-6) ** torch.exp(between(g, len(x), -0.7, 0.7)), x)


def clip(g, x, p, strength=1.0):
    low, high = between(g, len(x), 0, 0.1 * strength), 1 - between(g, len(x), 0, 0.35 * strength)
    return torch.where(coin(g, len(x), p), ((x - low) / (high - low)).clamp(0, 1), x)


def as_reference(g, x):
    """What the PyTorch reference's strong augmentation does to intensities."""
    n = len(x)
    k = torch.cumsum(uniform(g, n, 6) + 0.1, 1)
    k = torch.cat([torch.zeros(n, 1, device=DEVICE), k / k[:, -1:]], 1)
    i = (x * 6).long().clamp(max=5)
    low, high = (torch.gather(k, 1, (i + step).view(n, -1)).view_as(x) for step in (0, 1))
    x = torch.where(coin(g, n, 0.5), low + (high - low) * (x * 6 - i), x)
    x = lower_resolution(g, shade(g, clip(g, gamma(g, x, 0.3), 0.3), 0.5), 0.3)
    return minmax(torch.where(coin(g, n, 0.3), x + normal(g, *x.shape) * between(g, n, 0, 0.12), x))


def recolour(o, g, x):
    n, s, x = len(x), o.strength, x.clamp(0, 1)
    if o.intensities == "reference":
        return as_reference(g, x)
    if o.shallow:
        x = shallow_convolutions(g, x, o.shallow).clamp(0, 1)
    x = clip(g, x, o.clip, s)
    rise = torch.exp(0.8 * s * normal(g, n, 4))
    x = torch.where(coin(g, n, o.curve), monotone(x, rise / rise.sum(1, keepdim=True)), x)
    if o.gamma:
        x = gamma(g, x, o.gamma)
    if o.invert:
        x = torch.where(coin(g, n, o.invert), 1 - x, x)
    if o.shade:
        x = shade(g, x, o.shade)
    rows = between(g, n, 0.3, 0.3 + 1.2 * s)
    soft = blur(x, rows, torch.where(coin(g, n, 0.5), rows, between(g, n, 0.3, 0.3 + 1.2 * s)))
    soft = torch.where(coin(g, n, 0.3), x + between(g, n, 0, 2 * s) * (x - soft), soft)
    x = torch.where(coin(g, n, o.sharpness), soft, x)
    if o.low_resolution:
        x = lower_resolution(g, x, o.low_resolution)
    sd = between(g, n, 0, 0.15 * s)
    real = x + sd * normal(g, *x.shape)
    rician = torch.sqrt(real * real + (sd * normal(g, *x.shape)) ** 2)
    x = minmax(torch.where(coin(g, n, o.noise), torch.where(coin(g, n, 0.5), rician, real), x))
    if o.boxes:
        at = torch.arange(o.size, device=DEVICE, dtype=torch.float32)
        near = lambda a: (a - uniform(g, n, 1, 1, 1) * o.size).abs() < between(g, n, 4, o.size / 6)
        box = near(at.view(1, 1, -1, 1)) & near(at.view(1, 1, 1, -1)) & coin(g, n, o.boxes)
        x = torch.where(box, uniform(g, n, 1, 1, 1).expand_as(x), x)
    return x


# ---- losses ----------------------------------------------------------------------------------------------------------------------------
def one_hot(y):
    return (y[:, None] == torch.arange(CLASSES, device=DEVICE).view(1, CLASSES, 1, 1)).float()


def soft_dice(p, h):
    both, each = (p * h).sum((0, 2, 3))[1:], (p + h).sum((0, 2, 3))[1:]
    return 1 - ((2 * both + 1e-5) / (each + 1e-5)).mean()


def segmentation_loss(logits, y, smooth=0.0):
    return F.cross_entropy(logits, y, label_smoothing=smooth) + soft_dice(logits.softmax(1), one_hot(y))


# ---- data ------------------------------------------------------------------------------------------------------------------------------
class Data:
    def __init__(self, path):
        read = pickle.loads(lzma.open(path).read())
        self.cases, self.pool = read["cases"], read["pool"]
        self.image = {s: torch.from_numpy(read[s]["image"]).to(DEVICE) for s in (2.0, 1.5)}
        self.label = {s: torch.from_numpy(read[s]["label"]).to(DEVICE) for s in (2.0, 1.5)}
        self.native = [torch.from_numpy(c["label"]).to(DEVICE) for c in self.cases]

    def draw(self, seed):
        return sorted(np.random.RandomState(seed).permutation(self.pool)[:10])

    def slices(self, spacing, subjects):
        """Indices of their slices, and which are the first or last labelled ones."""
        index, edge = [], []
        for c in self.cases:
            if c["kind"] != "pool" or c["subject"] not in subjects:
                continue
            there = [bool(s.any()) for s in c["label"]]
            n = len(there)
            index += range(c["first"][spacing], c["first"][spacing] + n)
            edge += [there[k] and (k in (0, n - 1) or not (there[k - 1] and there[k + 1])) for k in range(n)]
        return torch.tensor(index, device=DEVICE), torch.tensor(edge, device=DEVICE)


class Flat:
    """A network's parameters, gradients, statistics, their averages and Adam's moments, each in one tensor."""

    def __init__(self, net):
        self.p = torch.cat([p.data.reshape(-1) for p in net.parameters()])
        self.b = torch.cat([v.reshape(-1) for m in net.modules() if isinstance(m, Norm) for v in (m.mean, m.var)])
        self.grad, self.m, self.v = (torch.zeros_like(self.p) for _ in range(3))
        self.average_p, self.average_b = self.p.clone(), self.b.clone()
        point(net, self.p, self.b, self.grad)

    def tensors(self):
        return [self.p, self.b, self.m, self.v, self.average_p, self.average_b]


def point(net, values, buffers, grad=None):
    """Makes the network's tensors views of flat ones."""
    at = 0
    for p in net.parameters():
        p.data = values[at:at + p.numel()].view(p.shape)
        p.grad = None if grad is None else grad[at:at + p.numel()].view(p.shape)
        at += p.numel()
    at = 0
    for m in (m for m in net.modules() if isinstance(m, Norm)):
        for name in ("mean", "var"):
            n = getattr(m, name).numel()
            setattr(m, name, buffers[at:at + n])
            at += n


def one_cycle(o):
    cosine = lambda a, b, part: b + (a - b) / 2 * (math.cos(math.pi * part) + 1)
    rate, beta, top, last = [], [], 0.1 * o.steps - 1, o.steps - 1
    for t in range(o.steps):
        rising = t <= top
        part = t / top if rising else (t - top) / (last - top)
        rate.append(cosine(o.rate / 25, o.rate, part) if rising else cosine(o.rate, o.rate / 25e4, part))
        beta.append(cosine(0.95, 0.85, part) if rising else cosine(0.85, 0.95, part))
    return torch.tensor(rate, device=DEVICE), torch.tensor(beta, device=DEVICE)


# ---- one training ------------------------------------------------------------------------------------------------------------------------
class Job:
    def __init__(self, data, change):
        o = self.o = SimpleNamespace(**{**DEFAULT, **change})
        self.data, self.change, self.began = data, change, time.time()
        torch.manual_seed(1000 * o.init + o.seed)
        self.g = torch.Generator(device=DEVICE)
        self.g.manual_seed(77 * o.init + o.seed)
        self.net = UNet(o).to(DEVICE).train()
        self.flat = Flat(self.net)
        if o.unlabelled:
            self.teacher = UNet(o).to(DEVICE).eval()
            point(self.teacher, self.flat.average_p, self.flat.average_b)
        if o.stn:
            self.stn = UNet(o, CLASSES).to(DEVICE)
            self.stn_flat = Flat(self.stn)
        own = data.draw(o.seed)
        self.index, edge = data.slices(o.spacing, own)
        weight = 1 + o.edges * edge.float()
        self.upto = torch.cumsum(weight / weight.sum(), 0)
        if o.unlabelled:
            self.others, _ = data.slices(o.spacing, set(data.pool) - set(own))
        at = (torch.arange(o.size, device=DEVICE) + 0.5) * 2 / o.size - 1
        self.rows, self.columns = at.view(1, -1, 1), at.view(1, 1, -1)
        self.rates, self.betas = one_cycle(o)
        self.t, self.loss = torch.zeros((), dtype=torch.long, device=DEVICE), torch.zeros((), device=DEVICE)
        self.done, self.stn_trains, self.graphs = 0, False, {}
        if CUDA:
            self.stream = torch.cuda.Stream()
            for self.stn_trains in (False, True) if o.stn else (False,):
                self.capture()

    def images(self, index):
        return self.data.image[self.o.spacing][index][:, None].float() / 127

    def batch(self):
        o = self.o
        k = self.index[torch.searchsorted(self.upto, uniform(self.g, o.batch)).clamp(max=len(self.index) - 1)]
        x, y = self.images(k), self.data.label[o.spacing][k][:, None].float()
        if o.intensities == "reference":  # it sees nothing outside of the grid
            c = (x.shape[2] - o.size) // 2
            x, y = (t[:, :, c:c + o.size, c:c + o.size] for t in (x, y))
        x, y = warp(o, self.g, x, y, self.rows, self.columns)
        return recolour(o, self.g, x), y

    def adam(self, flat, t):
        o, f, t = self.o, flat, t.clamp(min=0, max=self.o.steps - 1)
        rate, beta = (a.index_select(0, t.view(1)).view(()) for a in (self.rates, self.betas))
        n = (t + 1).float()
        f.p.mul_(1 - rate * o.weight_decay)
        f.m.mul_(beta).add_(f.grad * (1 - beta))
        f.v.mul_(0.999).addcmul_(f.grad, f.grad, value=0.001)
        f.p.sub_(rate / (1 - beta**n) * f.m / ((f.v / (1 - 0.999**n)).sqrt() + 1e-8))
        decay = torch.minimum(torch.full((), o.ema, device=DEVICE), (1 + n) / (10 + n))
        f.average_p.add_((f.p - f.average_p) * (1 - decay))
        f.average_b.add_((f.b - f.average_b) * (1 - decay))

    def statistics_learn(self, learns):
        for m in self.net.modules():
            if isinstance(m, Norm):
                m.learns = learns

    def harder(self, x, y, kept, logits):
        """Losses of the passes of the study's kind; they leave the running statistics alone."""
        o, g, net = self.o, self.g, self.net
        loss = 0
        if o.decoded or o.styles:
            loss = F.mse_loss(net.image(kept[-1]), x)
        self.statistics_learn(False)
        if o.masks:
            loss = loss + segmentation_loss(net.decode([mask(k, g) for k in kept]), y)
        if o.decoded:
            with torch.no_grad():
                made = minmax(net.image(mask(kept[-1], g)))
            loss = loss + segmentation_loss(net(made), y)
        if o.styles:
            loss = loss + segmentation_loss(net(self.hardest_style(kept[-1].detach(), y)), y)
        if o.adversary:
            loss = loss + segmentation_loss(net(self.hardest_field(x, logits.detach().softmax(1))), y)
        self.statistics_learn(True)
        return loss

    def hardest_style(self, code, y):
        o, g, net = self.o, self.g, self.net
        mean, sd = style_of(code)
        own, plain = uniform(g, o.batch, 1, 1, 1), (code - mean) / sd
        mixed_mean, mixed_sd = own * mean + (1 - own) * mean.roll(1, 0), own * sd + (1 - own) * sd.roll(1, 0)
        wide_mean, wide_sd = mean.std(0, keepdim=True), sd.std(0, keepdim=True)
        image = lambda a, b: minmax(net.image(plain * (mixed_sd + a * wide_sd) + mixed_mean + b * wide_mean))
        noise = [0.5 * normal(g, *mean.shape) for _ in range(2)]
        for _ in range(o.styles):
            probe = [n.detach().requires_grad_() for n in noise]
            uphill = torch.autograd.grad(segmentation_loss(net(image(*probe)), y), probe)
            noise = [n + 0.3 * u.sign() for n, u in zip(noise, uphill)]
        with torch.no_grad():
            return image(*noise)

    def hardest_field(self, x, p):
        field = lambda points: torch.exp(F.interpolate(points, size=x.shape[2:], mode="bicubic", align_corners=True))
        points = (0.4 * (2 * uniform(self.g, self.o.batch, 1, 4, 4) - 1)).requires_grad_()
        logits = self.net(minmax(x * field(points)))
        divergence = (p * (p.clamp(min=1e-8).log() - logits.log_softmax(1))).sum(1).mean()
        (uphill,) = torch.autograd.grad(divergence, (points,))
        uphill = uphill / (uphill.abs().amax((1, 2, 3), keepdim=True) + 1e-12)
        return minmax(x * field((points.detach() + 0.3 * uphill).clamp(-0.5, 0.5)))

    def from_unlabelled(self):
        o, g = self.o, self.g
        k = self.others[(uniform(g, o.batch) * len(self.others)).long().clamp(max=len(self.others) - 1)]
        x, _ = warp(o, g, self.images(k), None, self.rows, self.columns)
        with torch.no_grad():
            sure, label = self.teacher(minmax(x)).softmax(1).max(1)
        logits, counts = self.net(recolour(o, g, x)), (sure > 0.9).float()
        entropy = (F.cross_entropy(logits, label, reduction="none") * counts).mean()
        ramp = torch.exp(-5 * (1 - (self.t.float() / (0.3 * o.steps)).clamp(max=1)) ** 2)
        return ramp * (entropy + soft_dice(logits.softmax(1) * counts[:, None], one_hot(label) * counts[:, None]))

    def step(self):
        o = self.o
        self.flat.grad.zero_()
        x, y = self.batch()
        coarse, kept = [], self.net.encode(x, self.g)
        logits = self.net.decode(kept, coarse)
        loss = segmentation_loss(logits, y, o.smooth)
        for k, small in coarse:
            stride = 2 ** (k + 1)
            loss = loss + 0.5 ** (k + 1) * segmentation_loss(small, y[:, stride // 2::stride, stride // 2::stride])
        if o.masks or o.decoded or o.styles or o.adversary:
            loss = loss + self.harder(x, y, kept, logits)
        if o.unlabelled:
            loss = loss + self.from_unlabelled()
        loss.backward()
        self.adam(self.flat, self.t)
        if self.stn_trains:  # through a cycle of its own
            self.stn_flat.grad.zero_()
            segmentation_loss(self.stn((logits.detach() / 2).softmax(1)), y).backward()
            self.adam(self.stn_flat, (self.t - 2 * o.steps // 3) * 3)
        self.loss.copy_(loss.detach())
        self.t.add_(1)

    def state(self):
        return self.flat.tensors() + (self.stn_flat.tensors() if self.o.stn else []) + [self.t]

    def capture(self):
        saved = [t.clone() for t in self.state()]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(2):
                self.step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.g)
        with torch.cuda.graph(graph, stream=self.stream):
            self.step()
        torch.cuda.synchronize()
        for t, old in zip(self.state(), saved):
            t.copy_(old)
        torch.cuda.synchronize()
        self.graphs[self.stn_trains] = graph

    def run(self, n):
        for _ in range(min(n, self.o.steps - self.done)):
            self.stn_trains = self.o.stn and self.done > 2 * self.o.steps // 3
            if CUDA:
                with torch.cuda.stream(self.stream):
                    self.graphs[self.stn_trains].replay()
            else:
                self.step()
            self.done += 1

    # ---- scores ----
    def probabilities(self, x, mirrored, stn):
        of = (lambda t: self.stn((self.net(t) / 2).softmax(1)).softmax(1)) if stn else (lambda t: self.net(t).softmax(1))
        ways = ((), (2,), (3,), (2, 3)) if mirrored else ((),)
        return sum(of(x.flip(w)).flip(w) if w else of(x) for w in ways) / len(ways)

    @torch.no_grad()
    def score(self, kind, mirrored=False, stn=False):
        """Dice of each scan, mean over classes, on its own grid."""
        o, rows = self.o, []
        for c, y in zip(self.data.cases, self.data.native):
            if c["kind"] != kind:
                continue
            first, size = c["first"][o.spacing], c["size"][o.spacing]
            x = self.images(slice(first, first + len(y)))
            e = (x.shape[2] - o.size) // 2
            q = self.probabilities(minmax(x[:, :, e:e + o.size, e:e + o.size]), mirrored, stn)
            full = torch.zeros(len(y), CLASSES, *[max(o.size, n) for n in size], device=DEVICE)
            full[:, 0] = 1
            a, b = ((n - o.size) // 2 for n in full.shape[2:])
            full[:, :, a:a + o.size, b:b + o.size] = q
            a, b = ((n - m) // 2 for n, m in zip(full.shape[2:], size))
            p = F.interpolate(full[:, :, a:a + size[0], b:b + size[1]], size=y.shape[1:], mode="bilinear").argmax(1)
            if kind == "sunnybrook":  # labelled slices, LV
                there = (y > 0).flatten(1).any(1)
                p, y = p[there], y[there]
            dice = []
            for k in range(1, 2 if kind == "sunnybrook" else CLASSES):
                both, each = ((p == k) & (y == k)).sum().item(), ((p == k).sum() + (y == k).sum()).item()
                dice.append(2 * both / each if each else np.nan)
            rows.append(np.nanmean(dice))
        return np.array(rows)

    def finish(self):
        if CUDA:
            torch.cuda.synchronize()
        row = {**self.change, "seed": self.o.seed, "loss": self.loss.item(), "train_s": round(time.time() - self.began, 1)}
        mean = lambda *a, **k: round(float(np.mean(self.score(*a, **k))), 4)
        point(self.net.eval(), self.flat.average_p, self.flat.average_b)
        row["validation"], row["validation_mirrored"] = mean("validation"), mean("validation", mirrored=True)
        for kind in ("bias", "ghosting", "motion", "spike"):
            row[kind] = mean(kind)
        if self.o.stn:
            point(self.stn.eval(), self.stn_flat.average_p, self.stn_flat.average_b)
            row["validation_stn"] = mean("validation", stn=True)
        for kind in ("test", "mnms", "sunnybrook") if self.o.all_sets else ():
            row[kind], row[kind + "_mirrored"] = mean(kind), mean(kind, mirrored=True)
        return row


# ---- the list ----------------------------------------------------------------------------------------------------------------------------
def take(jobs, path):
    """The next job that no process has taken, or None."""
    with open(path + ".next", "a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        n = int(f.read() or 0)
        f.seek(0)
        f.truncate()
        f.write(str(n + 1))
    return jobs[n] if n < len(jobs) else None


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("slices", "jobs", "rows"):
        p.add_argument(name)
    p.add_argument("--slots", type=int, default=1, help="trainings at a time [%(default)s]")
    p.add_argument("--seconds", type=float, default=math.inf, help="what is unfinished then is given up")
    a = p.parse_args()
    end, data, jobs = time.time() + a.seconds, Data(a.slices), json.load(open(a.jobs))
    live, more = [], True
    with open(a.rows, "a") as rows:
        while (live or more) and time.time() < end:
            while more and len(live) < a.slots:
                change = take(jobs, a.jobs)
                more = change is not None
                if more:
                    live.append(Job(data, change))
            for job in live:
                job.run(25)
            if CUDA:
                for job in live:
                    job.stream.synchronize()
            for job in [j for j in live if j.done >= j.o.steps]:
                rows.write(json.dumps(job.finish()) + "\n")
                rows.flush()
                live.remove(job)
        for job in live:
            rows.write(json.dumps({**job.change, "unfinished": job.done}) + "\n")


if __name__ == "__main__":
    main()
