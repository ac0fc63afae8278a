"""Lesions as real ones are: how many, how large, where, and what becomes of them between two visits.

The figures were measured on the change masks of 18 patients of the public database of Lesjak et al.,
"Validation of White-Matter Lesion Change Detection Methods on a Novel Publicly Available MRI Image Database",
Neuroinformatics 2016 (components that touch by a corner count as one).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.difficulty import TYPICAL, Difficulty
from longitudinal_al.synthesis.head import Head

# Measured, over 736 changes of 18 patients.
REAL_CHANGES_A_PATIENT = (8, 131)  # least and most; median 38
REAL_VOLUME_PERCENTILES = {5: 8.7, 10: 12.1, 25: 24.2, 50: 45.5, 75: 113.8, 90: 275.9, 95: 574.2, 99: 1752.0}
REAL_TOTAL_VOLUME = (416.0, 18952.0)  # mm3 of change a patient; median 4.2 ml

# A whole lesion is larger than its change: outlines are cut into rims, and small ones fade in thick slices.
_LOG_VOLUME_SD = 0.9
_VOLUME_RANGE = (40.0, 4500.0)  # mm3


class Fate(str, Enum):
    """What becomes of a lesion between baseline and follow-up."""

    STABLE = "stable"
    NEW = "new"
    GROWING = "growing"
    SHRINKING = "shrinking"
    VANISHED = "vanished"


# Of the changing lesions. Patient 01 of the database has 85 % of its change brighter, patient 03 39 %.
_FATES = {Fate.NEW: 0.54, Fate.GROWING: 0.24, Fate.SHRINKING: 0.11, Fate.VANISHED: 0.11}
# Where lesions lie; on two patients the median least distance to the ventricles was 12 and 20 mm.
_ZONES = {"periventricular": 0.35, "deep": 0.4, "juxtacortical": 0.2, "infratentorial": 0.05}


@dataclass(frozen=True)
class Lesion:
    """One lesion: an ellipsoid with an irregular outline.

    Attributes
    ----------
    centre
        Voxel position (z, y, x) on the atlas's grid.
    axes
        Rows are the half axes' directions divided by their lengths (1/mm), at the larger of its two sizes.
    radius
        Mean half axis in mm, at the larger size.
    before, after
        Size at baseline and follow-up as a fraction of the larger size; 0 where there is none.
    offset
        Shift of the smaller outline inside the larger one, in fractions of the radius.
    contrast
        Brightness over white matter.
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    radius: float
    before: float
    after: float
    offset: NDArray[np.float64]
    contrast: float


def draw_lesions(
    head: Head,
    atlas: Atlas,
    generator: np.random.Generator,
    fates: list[Fate],
    difficulty: Difficulty = TYPICAL,
) -> list[Lesion]:
    """Draw one lesion for each fate, in the places where multiple sclerosis puts them."""
    places = _draw_places(head, atlas, generator, len(fates))
    return [
        _draw_lesion(place, fate, generator, difficulty.volume)
        for place, fate in zip(places, fates, strict=True)
    ]


def draw_fates(
    generator: np.random.Generator, changing: bool, difficulty: Difficulty = TYPICAL
) -> list[Fate]:
    """Draw how many lesions there are, and what becomes of each."""
    stable = int(np.exp(generator.normal(np.log(34), 0.4)).clip(12, 80))
    changes = int(np.exp(generator.normal(np.log(difficulty.changes), 0.55)).clip(9, 60)) if changing else 0
    drawn = generator.choice(len(_FATES), size=changes, p=list(_FATES.values()))
    return [Fate.STABLE] * stable + [list(_FATES)[k] for k in drawn]


def _draw_places(
    head: Head, atlas: Atlas, generator: np.random.Generator, count: int
) -> list[NDArray[np.float64]]:
    zones = _zone_places(head, atlas)
    drawn = generator.choice(len(_ZONES), size=count, p=list(_ZONES.values()))
    jitter = generator.uniform(-0.5, 0.5, (count, 3))
    # A zone's voxels are sorted by height, and a patient's lesions keep together.
    picks = generator.normal(generator.uniform(0.35, 0.65), 0.2, count).clip(0, 0.999)
    chosen = []
    for zone, pick, shift in zip(drawn, picks, jitter, strict=True):
        candidates = zones[list(_ZONES)[zone]]
        chosen.append(candidates[int(pick * len(candidates))].numpy() + shift)
    return chosen


def _zone_places(head: Head, atlas: Atlas) -> dict[str, torch.Tensor]:
    """Voxels (n, 3) of each zone, from every second voxel."""
    wm, gm, near = head.wm[::2, ::2, ::2], head.gm[::2, ::2, ::2], atlas.to_ventricle[::2, ::2, ::2]
    height = (torch.arange(wm.shape[0]) * 2 + float(atlas.origin[2]))[:, None, None]
    above = (height > -14) & (height < 62)
    white = (wm > 0.85) & above
    zones = {
        "periventricular": white & (near > 1) & (near < 8),
        "deep": white & (near >= 8) & (gm < 0.05),
        "juxtacortical": (wm > 0.5) & (gm > 0.15) & (near > 12) & above,
        "infratentorial": (wm > 0.6) & (height > -62) & (height < -28),
    }
    return {name: 2 * torch.nonzero(mask) for name, mask in zones.items()}


def _draw_lesion(
    centre: NDArray[np.float64], fate: Fate, generator: np.random.Generator, median_volume: float
) -> Lesion:
    established = fate in (Fate.STABLE, Fate.GROWING, Fate.SHRINKING)
    volume = np.exp(generator.normal(np.log(median_volume) + 0.7 * established, _LOG_VOLUME_SD))
    radius = float(np.cbrt(3 * volume.clip(*_VOLUME_RANGE) / (4 * np.pi)))
    stretch = np.exp(generator.normal(0, 0.22, 3))
    stretch /= np.cbrt(stretch.prod())
    turn = Rotation.from_quat(generator.normal(size=4)).as_matrix()
    small = float(generator.uniform(0.3, 0.52))
    before = {Fate.NEW: 0.0, Fate.GROWING: small}.get(fate, 1.0)
    after = {Fate.VANISHED: 0.0, Fate.SHRINKING: small}.get(fate, 1.0)
    return Lesion(
        centre=centre,
        axes=turn / (stretch * radius)[:, None],
        radius=radius,
        before=before,
        after=after,
        offset=generator.uniform(-0.2, 0.2, 3),
        contrast=float(generator.uniform(0.5, 0.8)),
    )


@dataclass(frozen=True)
class LesionMaps:
    """Shares of lesion at the two visits and the lesions' brightness over white matter, (z, y, x) float32."""

    before: torch.Tensor
    after: torch.Tensor
    contrast: torch.Tensor

    def changed(self) -> torch.Tensor:
        """Share of each voxel that is lesion at one visit and not at the other."""
        return (self.after - self.before).abs()


def paint_lesions(head: Head, lesions: list[Lesion], irregular: torch.Tensor) -> LesionMaps:
    """Paint lesions into maps on the atlas's grid.

    Parameters
    ----------
    head
        Lesions stop at its fluid.
    lesions
        What to paint.
    irregular
        Random field (z, y, x) of unit variance that dents the outlines.
    """
    shape = head.csf.shape
    before, after, contrast = (np.zeros(shape, np.float32) for _ in range(3))
    outline = irregular.numpy()
    for lesion in lesions:
        reach = int(np.ceil(2.2 * lesion.radius)) + 3
        low = np.maximum(np.round(lesion.centre).astype(int) - reach, 0)
        high = np.minimum(low + 2 * reach + 1, shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        places = np.moveaxis(np.indices(high - low), 0, -1) + (low - lesion.centre)
        first = _share(lesion, places, outline[box], lesion.before)
        second = _share(lesion, places, outline[box], lesion.after)
        larger = np.maximum(first, second)
        contrast[box] = np.where(larger > 0.02, lesion.contrast, contrast[box])
        before[box] = np.maximum(before[box], first)
        after[box] = np.maximum(after[box], second)
    solid = 1 - head.csf
    return LesionMaps(
        torch.from_numpy(before) * solid, torch.from_numpy(after) * solid, torch.from_numpy(contrast)
    )


def _share(
    lesion: Lesion, places: NDArray[np.float64], outline: NDArray[np.float32], size: float
) -> NDArray[np.float32]:
    """Share of lesion in each voxel of a box; edges are soft over about a millimetre."""
    if size == 0:
        return np.zeros(places.shape[:3], np.float32)
    inner = places if size == 1 else places - lesion.offset * lesion.radius
    distance = np.linalg.norm(inner @ lesion.axes.T, axis=-1) / size
    dents = 1 + 0.16 * outline
    inside_mm = (dents - distance) * lesion.radius * size
    return (1 / (1 + np.exp(-inside_mm.clip(-6, 6) / 0.35))).astype(np.float32)
