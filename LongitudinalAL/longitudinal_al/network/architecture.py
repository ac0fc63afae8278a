"""The change network: a small 2-D U-Net over two times, their difference and the neighbouring slices."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from longitudinal_al.network.loss_head import LossHead
from longitudinal_al.network.normed_convolution import NormedConvolution


@dataclass(frozen=True)
class Architecture:
    """What the network is built of.

    Attributes
    ----------
    widths : tuple of int
        Channels at each level; the first level works at half the resolution of the input.
    neighbours : int
        Slices on either side whose differences are read too.
    dropout : float
        Probability of a dropped channel map in the deepest level and in the decoder.
    predicts_loss : bool
        Whether a head that predicts the network's own loss belongs to it, see `network.loss_head`.
    """

    widths: tuple[int, ...] = (24, 48, 72, 96)
    neighbours: int = 1
    dropout: float = 0.1
    predicts_loss: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return {**asdict(self), "widths": list(self.widths)}


IMAGE_SCALE, DIFFERENCE_KNEE = 2.0, 2.0
"""In robust z. Beyond the knee differences are compressed like a logarithm: both 4 and 40 have to be seen."""


def input_channels(neighbours: int) -> int:
    """Return how many channels `network_input` makes."""
    return 3 + 1 + 4 * neighbours


def network_input(stacks: torch.Tensor) -> torch.Tensor:
    """Turn stacks of slices into the channels that the network reads.

    Parameters
    ----------
    stacks : torch.Tensor
        (n, slices, channels, rows, columns), see `Pool.stacks`.

    Returns
    -------
    torch.Tensor
        (n, channels, rows, columns): baseline, follow-up, their plain difference and the robust one of the
        slice itself, then both differences of its neighbours.
    """
    baseline, followup, robust = stacks.unbind(2)
    plain = (followup - baseline) / IMAGE_SCALE
    robust = _compressed(robust / DIFFERENCE_KNEE) / 2
    middle = stacks.shape[1] // 2
    others = [place for place in range(stacks.shape[1]) if place != middle]
    own = torch.stack([baseline[:, middle], followup[:, middle]], dim=1) / IMAGE_SCALE
    return torch.cat(
        [own, plain[:, [middle]], robust[:, [middle]], plain[:, others], robust[:, others]], dim=1
    )


def _compressed(values: torch.Tensor) -> torch.Tensor:
    """Return the inverse hyperbolic sine; `torch.asinh` itself takes ten times as long on a CPU."""
    size = values.float().abs()
    return torch.log(size + torch.sqrt(size * size + 1)).copysign(values).to(values.dtype)


def _block(inputs: int, outputs: int, layers: int = 2) -> nn.Sequential:
    sizes = [inputs] + [outputs] * layers
    return nn.Sequential(*(NormedConvolution(a, b) for a, b in itertools.pairwise(sizes)))


@dataclass(frozen=True)
class Reading:
    """All that a network finds in slice pairs on its way to the logits.

    Attributes
    ----------
    logits : torch.Tensor
        (n, rows, columns).
    features : torch.Tensor
        (n, features_size): mean and maximum of the deepest level.
    levels : list of torch.Tensor
        What each level of the encoder found, the finest (half the resolution of the input) first.
    activations : torch.Tensor
        (n, widths[0], rows / 2, columns / 2): what the last layer reads. It works on each pixel alone, so the
        logits are a linear function of it: gradients in it, and in the last layer, need no backward pass.
    """

    logits: torch.Tensor
    features: torch.Tensor
    levels: list[torch.Tensor]
    activations: torch.Tensor


class ChangeNetwork(nn.Module):
    """Reads a slice pair with its neighbours, and gives a logit of change for each pixel.

    The first level folds 2x2 pixels into channels, which makes it several times as fast as a U-Net that works
    at full resolution; the last layer unfolds them again, so that outlines keep the pixel size.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths = architecture.widths
        self.fold = nn.PixelUnshuffle(2)
        self.stem = _block(4 * input_channels(architecture.neighbours), widths[0])
        self.down = nn.ModuleList(_block(a, b) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(b, a, 1), nn.Upsample(scale_factor=2))
            for a, b in itertools.pairwise(widths)
        )
        self.merge = nn.ModuleList(_block(a, a, layers=1) for a in widths[:-1])
        self.drop = nn.Dropout2d(architecture.dropout)
        self.head = nn.Conv2d(widths[0], 4, 1)
        self.unfold = nn.PixelShuffle(2)
        nn.init.constant_(self.head.bias, -4.0)  # change is rare: start from "no change"
        self.loss_head = LossHead((*widths, widths[0])) if architecture.predicts_loss else None

    @property
    def features_size(self) -> int:
        """How many numbers `forward` gives as features of a slice pair."""
        return 2 * self.architecture.widths[-1]

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict.

        Parameters
        ----------
        image : torch.Tensor
            (n, channels, rows, columns), see `network_input`; sides are multiples of 16.

        Returns
        -------
        logits : torch.Tensor
            (n, rows, columns).
        features : torch.Tensor
            (n, features_size): mean and maximum of the deepest level.
        """
        reading = self.read(image)
        return reading.logits, reading.features

    def read(self, image: torch.Tensor) -> Reading:
        """Predict, and keep what was found on the way; parameters as for `forward`."""
        levels = self._encode(image)
        deepest = levels[-1]
        features = torch.cat([deepest.mean((2, 3)), deepest.amax((2, 3))], dim=1)
        activations = self._decode(levels)
        return Reading(self.unfold(self.head(activations))[:, 0], features, levels, activations)

    def _encode(self, image: torch.Tensor) -> list[torch.Tensor]:
        levels = [self.stem(self.fold(image))]
        for down in self.down:
            levels.append(down(nn.functional.max_pool2d(levels[-1], 2)))
        return levels

    def _decode(self, levels: list[torch.Tensor]) -> torch.Tensor:
        x = self.drop(levels[-1])
        finer = levels[-2::-1]
        for up, merge, skip in zip(reversed(self.up), reversed(self.merge), finer, strict=True):
            x = self.drop(merge(up(x) + skip))
        return x
