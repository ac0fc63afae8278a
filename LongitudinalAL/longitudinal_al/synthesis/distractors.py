"""What changes between two visits and is no lesion: flow, vessels, choroid plexus; and dark dots.

These are the reasons why a threshold on a difference image is not enough, and each can be told from a lesion
by its place and shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.head import Head

_LOSS_LEVEL = (0.4, 1.0)  # standard deviations of the field's unevenness
_PILED_LESS = 0.75  # likewise: less brain is too bright than too dark
_PILE_UP = (1.7, 2.4)  # brightness, white matter being 1: two signals in one place
_SHIFT = 7  # mm in the direction of phase encoding
_CHOROID = ((-23.0, -40.0, 8.0), (23.0, -40.0, 8.0), (-28.0, -32.0, -4.0), (28.0, -32.0, -4.0))  # MNI


@dataclass(frozen=True)
class Tube:
    """A vessel or a perivascular space: a chain of voxel positions (n, 3), its radius (mm) and brightness."""

    points: NDArray[np.float64]
    radius: float
    brightness: float


def draw_vessels(head: Head, atlas: Atlas, generator: np.random.Generator, count: int) -> list[Tube]:
    """Vessels with slow flow, bright in the sulci."""
    sulci = torch.nonzero((head.csf > 0.5) & (atlas.to_ventricle > 20) & (atlas.outside == 0))
    starts = sulci[torch.from_numpy(generator.integers(len(sulci), size=count))].numpy()
    return [
        Tube(
            _walk(start, generator, int(generator.integers(6, 22))),
            generator.uniform(0.7, 1.2),
            generator.uniform(1.1, 1.9),
        )
        for start in starts
    ]


def draw_dark_dots(head: Head, atlas: Atlas, generator: np.random.Generator, count: int) -> list[Tube]:
    """Virchow-Robin spaces: dark dots and short lines in white matter and basal ganglia."""
    places = torch.nonzero((head.csf < 0.05) & (head.wm > 0.4) & (atlas.to_ventricle < 40))
    starts = places[torch.from_numpy(generator.integers(len(places), size=count))].numpy()
    return [
        Tube(_walk(start, generator, int(generator.integers(2, 7))), generator.uniform(0.5, 0.9), 0.35)
        for start in starts
    ]


def _walk(start: NDArray[np.int64], generator: np.random.Generator, steps: int) -> NDArray[np.float64]:
    direction = generator.normal(size=3)
    points = [start.astype(float)]
    for _ in range(steps):
        direction = direction / np.linalg.norm(direction) + generator.normal(0, 0.25, 3)
        points.append(points[-1] + direction / np.linalg.norm(direction))
    return np.array(points)


def paint_tubes(image: torch.Tensor, tubes: list[Tube], weights: NDArray[np.float64]) -> None:
    """Blend tubes into an image in place, each by its weight (0 leaves it out)."""
    reach = np.arange(-2, 3)
    offsets = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1)
    array = image.numpy()
    for tube, weight in zip(tubes, weights, strict=True):
        for point in tube.points:
            low = np.round(point).astype(int) - 2
            if (low < 0).any() or (low + 5 > array.shape).any():
                continue
            squared = ((offsets + (low + 2 - point)) ** 2).sum(-1)
            share = (weight * 0.5 * np.exp(-squared / (2 * tube.radius**2))).astype(np.float32)
            box = array[low[0] : low[0] + 5, low[1] : low[1] + 5, low[2] : low[2] + 5]
            box += share * (tube.brightness - box)


def paint_flow(
    image: torch.Tensor, atlas: Atlas, swirls: torch.Tensor, generator: np.random.Generator
) -> None:
    """Brighten moving fluid at one visit, in place, where a random field (`swirls`) is high.

    It can be as bright as a lesion, and is none: at the other visit the same place is dark fluid.
    """
    level, brightness = generator.uniform(0.8, 1.5), generator.uniform(0.7, 1.3)
    share = torch.sigmoid((swirls - level).mul_(5.0)).mul_(atlas.flowing)
    image.lerp_(torch.tensor(brightness), share)


def paint_field_errors(
    image: torch.Tensor, atlas: Atlas, swirls: torch.Tensor, generator: np.random.Generator
) -> None:
    """Lose signal at one visit, and pile it up beside, in place, in the brain over the sinuses and the ears.

    Air bends the field there: signal is lost in one place and shifted into the next, which then is as bright
    as a lesion. What tells the two apart is the place, and the loss beside it.
    """
    near = (2 * atlas.near_air).clamp_(max=1.0)
    level = generator.uniform(*_LOSS_LEVEL)
    lost = torch.sigmoid((swirls - level).mul_(6.0)).mul_(near)
    image.mul_(1 - generator.uniform(0.35, 0.65) * lost)
    shifted = torch.roll(swirls, int(generator.choice([-_SHIFT, _SHIFT])), dims=1)
    piled = torch.sigmoid((shifted - level - _PILED_LESS).mul_(6.0)).mul_(near)
    image.lerp_(torch.tensor(generator.uniform(*_PILE_UP)), piled)


def paint_ghosts(image: torch.Tensor, atlas: Atlas, generator: np.random.Generator) -> None:
    """Repeat the pulsing sinuses from left to right through the posterior fossa at one visit, in place.

    The ghosts stand in a row, dark and faintly bright in turn and evenly spaced, which no lesions do.
    """
    for _ in range(int(generator.integers(1, 4))):
        row, height = generator.uniform(-85, -25), generator.uniform(-52, -18)
        spacing, strength = generator.uniform(9, 14), generator.uniform(0.35, 0.6)
        start = generator.uniform(-6, 6)
        for k in range(-6, 7):
            centre = atlas.index((start + k * spacing, row, height))
            radii = np.array([generator.uniform(5, 9), 2.2, 2.6])
            multiply_blob(image, centre, radii, 0.3 * strength if k % 2 else -strength)


def multiply_blob(
    image: torch.Tensor, centre: NDArray[np.float64], radii: NDArray[np.float64], strength: float
) -> None:
    """Brighten (or darken) an ellipsoid with soft edges, in place; nothing happens outside the image."""
    reach = np.ceil(2 * radii).astype(int)
    low = np.maximum(np.round(centre).astype(int) - reach, 0)
    high = np.minimum(np.round(centre).astype(int) + reach + 1, image.shape)
    if (low >= high).any():
        return
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    places = np.moveaxis(np.indices(high - low), 0, -1) + (low - centre)
    distance = np.sqrt(((places / radii) ** 2).sum(-1))
    share = 1 / (1 + np.exp((distance - 1) * 6))
    image[box] *= torch.from_numpy((1 + strength * share).astype(np.float32))


def paint_choroid(image: torch.Tensor, head: Head, atlas: Atlas, generator: np.random.Generator) -> None:
    """Blend choroid plexus into the ventricles in place; its outline is never quite the same twice."""
    brightness = generator.uniform(0.6, 1.1)
    for place in _CHOROID:
        centre = atlas.index(place) + generator.normal(0, 1.0, 3)
        radii = generator.uniform(2.5, 4.5, 3) * (1.2, 1.6, 0.8)
        low = np.round(centre).astype(int) - 12
        box = tuple(slice(a, a + 25) for a in low)
        axes = np.meshgrid(*[np.arange(a, a + 25) for a in low], indexing="ij")
        squared = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True))
        share = torch.from_numpy(np.exp(-0.7 * squared).astype(np.float32)) * head.csf[box]
        image[box] += share * (brightness - image[box])
