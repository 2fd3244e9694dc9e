"""hardy's U-Net and its loss in PyTorch, for the programs beside this file that measure against it.

Same network as src/network/unet.c: a width that doubles from level to level, two convolutions a level with batch norm and LeakyReLU(0.01), max
pooling, nearest-neighbour doubling, concatenated skips.
"""
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 4


def block(n_in, n_out):
    layers = []
    for n in (n_in, n_out):
        layers += [nn.Conv2d(n, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.01, inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, width, levels):
        super().__init__()
        widths = [width << i for i in range(levels)]
        self.down = nn.ModuleList(block(a, b) for a, b in zip([1] + widths, widths))
        self.up = nn.ModuleList(block(2 * w + w, w) for w in reversed(widths[:-1]))
        self.out = nn.Conv2d(width, CLASSES, 1)

    def forward(self, x):
        skips = []
        for i, level in enumerate(self.down):
            x = level(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for level, skip in zip(self.up, reversed(skips[:-1])):
            x = level(torch.cat([F.interpolate(x, scale_factor=2), skip], 1))
        return self.out(x)


def loss_of(logits, y):
    p, truth = logits.float().softmax(1), F.one_hot(y, CLASSES).permute(0, 3, 1, 2)
    both, each = (p * truth).sum((0, 2, 3))[1:], (p + truth).sum((0, 2, 3))[1:]
    return F.cross_entropy(logits.float(), y) + 1 - ((2 * both + 1e-5) / (each + 1e-5)).mean()
