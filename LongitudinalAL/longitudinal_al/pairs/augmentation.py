"""Random changes of training examples: the two times move and change their contrast independently.

Examples are also mirrored and turned by quarter turns. No head is scanned like that; but a change looks like
one whichever way up it is, and few labels show only a few of them (docs/decisions/turning.md).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch.nn.functional import affine_grid, grid_sample

BASELINE, FOLLOWUP, DIFFERENCE = range(3)
KNOTS = (-6.0, -3.0, -1.0, 1.0, 3.0, 10.0)
"""Where contrast curves bend, in robust z."""


@dataclass(frozen=True)
class Augmentation:
    """How far examples are changed.

    Attributes
    ----------
    rotation_degrees, scale : float
        Largest in-plane rotation, and largest relative change of size, of the whole example.
    misalignment_pixels : float
        Largest shift of the baseline against the follow-up, as a registration error would make.
    gain, offset : float
        Largest relative change of contrast, and of brightness in robust z, of each time on its own.
    noise : float
        Largest standard deviation of added noise, in robust z, of each time on its own.
    difference_gain : float
        Largest relative change of the difference channel.
    moved : float
        Share of the examples that are rotated, scaled and shifted; the others stay as sharp as the scans are.
    exchanged : float
        Share of the examples whose two times change places, where labels allow it: what was new has then
        vanished, and twice as many changes are learned from.
    curves : float
        How far the contrast curve of each time is bent on its own: the standard deviation of the logarithm
        of its slopes, as if another protocol had been scanned. The difference stays, as it is matched to
        the protocols. Where many patients are known it is bent less, see `pairs.variety`.
    turned : bool
        Whether examples are turned upside down and by quarter turns, or mirrored left to right alone.
    """

    rotation_degrees: float = 15.0
    scale: float = 0.12
    misalignment_pixels: float = 1.0
    gain: float = 0.25
    offset: float = 0.25
    noise: float = 0.2
    difference_gain: float = 0.25
    moved: float = 0.5
    exchanged: float = 0.5
    curves: float = 0.4
    turned: bool = True


def augment(
    stacks: torch.Tensor, masks: torch.Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change each example at random.

    Parameters
    ----------
    stacks : torch.Tensor
        float32, (n, slices, channels, rows, columns), see `Pool.stacks`.
    masks : torch.Tensor
        float32, (n, rows, columns).
    how : Augmentation
        How far.
    generator : torch.Generator
        Where chance comes from.

    Returns
    -------
    tuple of torch.Tensor
        New stacks and masks (soft at their edges), same shapes.
    """
    stacks, masks = _turn(stacks, masks, how.turned, generator)
    _exchange(stacks, how.exchanged, generator)
    moved = torch.rand(len(stacks), generator=generator) < how.moved
    if moved.any():
        stacks[moved], masks[moved] = _move(stacks[moved], masks[moved], how, generator)
    return change_contrast(stacks, how, generator), masks


def _uniform(size: tuple[int, ...], limit: float, generator: torch.Generator) -> torch.Tensor:
    return (2 * torch.rand(size, generator=generator) - 1) * limit


def _turn(
    stacks: torch.Tensor, masks: torch.Tensor, turned: bool, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror and turn each example in one of the eight ways in which a square falls on itself."""
    changes = [_mirror]
    if turned:
        square = stacks.shape[-1] == stacks.shape[-2]
        changes += [_upside_down, _transpose] if square else [_upside_down]
    stacks, masks = stacks.clone(), masks.clone()
    for change in changes:
        chosen = torch.rand(len(stacks), generator=generator) < 0.5
        stacks[chosen], masks[chosen] = change(stacks[chosen]), change(masks[chosen])
    return stacks, masks


def _mirror(images: torch.Tensor) -> torch.Tensor:
    return images.flip(-1)


def _upside_down(images: torch.Tensor) -> torch.Tensor:
    return images.flip(-2)


def _transpose(images: torch.Tensor) -> torch.Tensor:
    return images.transpose(-1, -2)


def _exchange(stacks: torch.Tensor, share: float, generator: torch.Generator) -> None:
    """Exchange the two times of a share of the examples, in place; the difference changes its sign."""
    chosen = torch.rand(len(stacks), generator=generator) < share
    turned = stacks[chosen][:, :, [FOLLOWUP, BASELINE, DIFFERENCE]]
    turned[:, :, DIFFERENCE] *= -1
    stacks[chosen] = turned


def _move(
    stacks: torch.Tensor, masks: torch.Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotate and scale everything alike, and shift the baseline by up to a pixel more."""
    n, slices, channels, rows, columns = stacks.shape
    angle = torch.deg2rad(_uniform((n,), how.rotation_degrees, generator))
    size = 1 + _uniform((n,), how.scale, generator)
    together = _matrices(angle, size, rows, columns)
    shift = _uniform((n, 2), how.misalignment_pixels, generator)
    apart = together.clone()
    apart[:, 0, 2] += 2 * shift[:, 0] / columns
    apart[:, 1, 2] += 2 * shift[:, 1] / rows
    moved = torch.empty_like(stacks)
    shape = [n, 1, rows, columns]
    same, other = (affine_grid(m, shape, align_corners=False) for m in (together, apart))
    rest = stacks[:, :, FOLLOWUP:].reshape(n, -1, rows, columns)
    moved[:, :, FOLLOWUP:] = _sample(rest, same).view(n, slices, channels - 1, rows, columns)
    moved[:, :, BASELINE] = _sample(stacks[:, :, BASELINE], other)
    return moved, _sample(masks[:, None], same)[:, 0]


def _matrices(angle: torch.Tensor, size: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return (n, 2, 3) affine matrices in the unit coordinates of `affine_grid`, free of shear."""
    cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
    matrices = torch.zeros(len(angle), 2, 3)
    matrices[:, 0, 0], matrices[:, 0, 1] = cosine, -sine * rows / columns
    matrices[:, 1, 0], matrices[:, 1, 1] = sine * columns / rows, cosine
    return matrices


def _sample(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def change_contrast(stacks: torch.Tensor, how: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Change gain, brightness and noise of each time on its own; outside (0 everywhere) stays as it is.

    Parameters
    ----------
    stacks : torch.Tensor
        float32, (n, slices, channels, rows, columns); its values are written over.
    how : Augmentation
        How far.
    generator : torch.Generator
        Where chance comes from.
    """
    n = len(stacks)
    inside = (stacks != 0).any(dim=2, keepdim=True)
    if how.curves > 0:
        _bend(stacks, how.curves, generator)
    for channel in (BASELINE, FOLLOWUP):
        gain = 1 + _uniform((n, 1, 1, 1), how.gain, generator)
        offset = _uniform((n, 1, 1, 1), how.offset, generator)
        spread = torch.rand((n, 1, 1, 1), generator=generator) * how.noise
        noise = torch.randn(stacks[:, :, channel].shape, generator=generator) * spread
        stacks[:, :, channel] = stacks[:, :, channel] * gain + offset + noise
    stacks[:, :, DIFFERENCE] *= 1 + _uniform((n, 1, 1, 1), how.difference_gain, generator)
    return stacks * inside


def _bend(stacks: torch.Tensor, spread: float, generator: torch.Generator) -> None:
    """Send each time through a rising curve of straight pieces, in place; 0 stays 0.

    After Zhang et al., "Generalizing deep learning for medical image segmentation to unseen domains via deep
    stacked transformation", IEEE TMI 2020.
    """
    for channel in (BASELINE, FOLLOWUP):
        slopes = torch.exp(spread * torch.randn((len(stacks), len(KNOTS) - 1), generator=generator))
        scan, bent = stacks[:, :, channel], torch.zeros_like(stacks[:, :, channel])
        for slope, (low, high) in zip(slopes.T, itertools.pairwise(KNOTS), strict=True):
            start = min(max(low, 0.0), high)
            bent += slope.view(-1, 1, 1, 1) * (scan.clamp(low, high) - start)
        stacks[:, :, channel] = bent
