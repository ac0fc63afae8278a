"""Synthetic lesions: drawn at random, and their share of each voxel at the two times.

How large changes are follows the change masks of 18 patients of the public database of Lesjak et al.,
"Validation of White-Matter Lesion Change Detection Methods on a Novel Publicly Available MRI Image Database",
Neuroinformatics 2016: 5 to 95 % of them have 9 to 574 mm3, half of them 24 to 114. On its patients 01 and 03
nearly all changes stand out of the tissue around by less than 2.5 robust z, many by less than 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.special import expit


class Fate(str, Enum):
    """What becomes of a lesion between baseline and follow-up."""

    NEW = "new"
    GROWING = "growing"
    SHRINKING = "shrinking"
    VANISHED = "vanished"
    STABLE = "stable"


CHANGING = (Fate.NEW, Fate.GROWING, Fate.SHRINKING, Fate.VANISHED)
INCREASING = (Fate.NEW, Fate.GROWING)


@dataclass(frozen=True)
class Painting:
    """How lesions are drawn.

    Attributes
    ----------
    shares : tuple of float
        How many of the changes are `CHANGING`, in that order.
    volume_mm3, volume_spread : float
        Median volume of a lesion at its larger size, and the standard deviation of its logarithm.
    volume_limits_mm3 : tuple of float
        No lesion is smaller or larger.
    small : tuple of float
        Least and greatest diameter of a growing or shrinking lesion at its smaller time, as a part of the
        larger one.
    contrast : tuple of float
        Least and greatest brightness over the tissue around it, in robust z.
    darker : float
        Share of the lesions that are darker than the tissue instead.
    edge_mm : tuple of float
        Least and greatest width over which an edge is blurred.
    texture : float
        Part of the tissue's own texture and noise that shows through.
    on_bright : float
        Share of the changes that are painted where tissue is bright already: on lesions, beside ventricles.
    brightness_alone : float
        Share of the changing lesions that keep their size, and are brighter at one time than at the other.
    dimmer, brighter : tuple of float
        Of those: least and greatest brightness at the dimmer time as a part of that at the brighter one, and
        the latter's over the tissue around it, in robust z.
    only_increasing : bool
        Whether new and growing lesions alone count as change; the others are painted all the same, so that a
        pair whose times are swapped shows what does not count.
    """

    shares: tuple[float, float, float, float] = (0.35, 0.25, 0.15, 0.25)
    volume_mm3: float = 90.0
    volume_spread: float = 1.0
    volume_limits_mm3: tuple[float, float] = (12.0, 3000.0)
    small: tuple[float, float] = (0.3, 0.75)
    contrast: tuple[float, float] = (0.6, 3.5)
    darker: float = 0.05
    edge_mm: tuple[float, float] = (0.25, 0.9)
    texture: float = 0.5
    on_bright: float = 0.0
    brightness_alone: float = 0.0
    dimmer: tuple[float, float] = (0.1, 0.65)
    brighter: tuple[float, float] = (1.0, 4.5)
    only_increasing: bool = False


@dataclass(frozen=True)
class PaintedLesion:
    """A lesion: an ellipsoid with a dented outline.

    Attributes
    ----------
    fate : Fate
    radius_mm : float
        Mean half axis at its larger size.
    axes : numpy.ndarray
        (3, 3), rows are the directions of its half axes (slice, row, column) divided by their lengths in mm.
    before, after : float
        Size at the two times as a part of the larger one; 0 where there is none.
    offset : numpy.ndarray
        Shift of the smaller outline inside the larger one, (3,), in mm.
    contrast : tuple of float
        Brightness over the tissue at the two times, in robust z.
    edge_mm : float
        Width over which its edge is blurred.
    texture : float
        Part of the tissue's texture that shows through.
    waves, phases : numpy.ndarray
        (k, 3) in 1/mm, and (k,): of the waves that dent its outline.
    """

    fate: Fate
    radius_mm: float
    axes: np.ndarray
    before: float
    after: float
    offset: np.ndarray
    contrast: tuple[float, float]
    edge_mm: float
    texture: float
    waves: np.ndarray
    phases: np.ndarray

    @property
    def reach_mm(self) -> float:
        """No part of the lesion is farther from its centre."""
        longest = 1 / float(np.linalg.norm(self.axes, axis=1).min())
        return (1 + 3 * DENTS) * longest + 2 * self.edge_mm


WAVES, DENTS = 4, 0.12


def draw_lesion(how: Painting, generator: np.random.Generator, *, stable: bool = False) -> PaintedLesion:
    """Draw a lesion.

    Parameters
    ----------
    how : Painting
        From which distributions.
    generator : numpy.random.Generator
        Where chance comes from.
    stable : bool
        Whether it stays as it is.
    """
    fate = Fate.STABLE if stable else CHANGING[int(generator.choice(len(CHANGING), p=how.shares))]
    volume = how.volume_mm3 * np.exp(how.volume_spread * generator.standard_normal())
    radius = float(np.cbrt(3 * np.clip(volume, *how.volume_limits_mm3) / (4 * np.pi)))
    stretch = np.exp(generator.normal(0, 0.22, 3))
    stretch /= np.cbrt(stretch.prod())
    turn = Rotation.from_quat(generator.normal(size=4)).as_matrix()
    small = float(generator.uniform(*how.small))
    contrast = float(generator.uniform(*how.contrast)) * (-1 if generator.random() < how.darker else 1)
    either = contrast * np.exp(generator.normal(0, 0.08, 2))
    lesion = PaintedLesion(
        fate=fate,
        radius_mm=radius,
        axes=(turn / (stretch * radius)[:, None]).astype(np.float32),
        before={Fate.NEW: 0.0, Fate.GROWING: small}.get(fate, 1.0),
        after={Fate.VANISHED: 0.0, Fate.SHRINKING: small}.get(fate, 1.0),
        offset=(generator.uniform(-0.2, 0.2, 3) * radius).astype(np.float32),
        contrast=(float(either[0]), float(either[1])),
        edge_mm=float(generator.uniform(*how.edge_mm)),
        texture=how.texture,
        waves=generator.normal(0, 1.5 / radius, (WAVES, 3)).astype(np.float32),
        phases=generator.uniform(0, 2 * np.pi, WAVES).astype(np.float32),
    )
    alone = not stable and how.brightness_alone > 0 and generator.random() < how.brightness_alone
    return _in_brightness_alone(lesion, how, generator) if alone else lesion


def _in_brightness_alone(
    lesion: PaintedLesion, how: Painting, generator: np.random.Generator
) -> PaintedLesion:
    """Return the lesion at its larger size both times, dimmer where it was smaller."""
    brighter = float(generator.uniform(*how.brighter))
    dimmer = brighter * float(generator.uniform(*how.dimmer))
    contrast = (dimmer, brighter) if lesion.fate in INCREASING else (brighter, dimmer)
    return replace(lesion, before=1.0, after=1.0, contrast=contrast)


def changed_share(lesion: PaintedLesion, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return how much of each place changes, from how much of it is lesion, see `shares`."""
    if lesion.fate is Fate.STABLE or lesion.before != lesion.after:
        return np.abs(after - before)
    return after


def shares(lesion: PaintedLesion, places_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much of each place is lesion, before and after.

    Parameters
    ----------
    lesion : PaintedLesion
        What to paint.
    places_mm : numpy.ndarray
        (..., 3): places relative to the lesion's centre, along (slice, row, column).

    Returns
    -------
    tuple of numpy.ndarray
        float32, shaped as the places, from 0 to 1.
    """
    places_mm = np.asarray(places_mm, np.float32)
    dents = 1 + DENTS * np.sin(places_mm @ lesion.waves.T + lesion.phases).sum(-1)
    return _share(lesion, places_mm, dents, lesion.before), _share(lesion, places_mm, dents, lesion.after)


def _share(lesion: PaintedLesion, places_mm: np.ndarray, dents: np.ndarray, size: float) -> np.ndarray:
    """Return the share at one of its sizes; edges are soft."""
    if size == 0:
        return np.zeros(places_mm.shape[:-1], np.float32)
    inner = places_mm if size == 1 else places_mm - lesion.offset
    turned = inner @ lesion.axes.T
    distance = np.sqrt(np.einsum("...i,...i", turned, turned)) / size
    inside_mm = (dents - distance) * lesion.radius_mm * size
    return np.asarray(expit(np.clip(inside_mm / (lesion.edge_mm / 2), -12, 12)), np.float32)
