"""Shape and position: how one patient's head differs from the atlas, and how it lies in the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.fields import Shape, smooth_noise

_STEP = 4.0  # mm between the points at which displacements are kept
_ATLAS_SIZE = 1.1  # the MNI head is larger than most
# (smoothing sigma in mm, standard deviation in mm): from the head's overall shape down to single gyri.
_OCTAVES = ((30.0, 3.0), (10.0, 1.4), (5.0, 0.6))


@dataclass(frozen=True)
class Pose:
    """Position of a head in a scanner: scanner point = rotation @ head point + centre, in mm (x, y, z)."""

    rotation: NDArray[np.float64]
    centre: NDArray[np.float64]

    def to_head(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take points (n, 3) of the scanner to the head."""
        return (points - self.centre) @ self.rotation


def draw_pose(generator: np.random.Generator) -> Pose:
    """Draw a position as patients take it: nods of some degrees, smaller turns and tilts, a centimetre."""
    angles = generator.normal(0, (3.5, 1.8, 2.2)).clip(-7, 7)
    centre = generator.normal(0, (3.0, 5.0, 6.0)).clip(-12, 12)
    return Pose(Rotation.from_euler("xyz", angles, degrees=True).as_matrix(), centre)


def rigid_between(baseline: Pose, followup: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and shift (mm) that take points of the follow-up's scanner to the baseline's."""
    matrix = baseline.rotation @ followup.rotation.T
    return matrix, baseline.centre - matrix @ followup.centre


class Warp:
    """Maps points of one patient's head to the atlas, by a shear and scale and a smooth displacement.

    Parameters
    ----------
    atlas
        Its box is the field's.
    generator
        Source of chance.
    drift
        Factor on the local shifts since the baseline.
    """

    def __init__(self, atlas: Atlas, generator: np.random.Generator, drift: float = 1.0) -> None:
        self._origin = atlas.origin
        self._shape = _coarse_shape(atlas)
        self._inside = _fade_outside(atlas, self._shape)
        self._matrix = np.diag(generator.normal(_ATLAS_SIZE, 0.035, 3).clip(1.02, 1.2)) + _shear(generator)
        self._field = np.stack([self._octaves(generator) for _ in range(3)])
        self._drift = np.stack([0.22 * drift * smooth_noise(generator, self._shape, 3.0) for _ in range(3)])
        self._outwards = _away_from_ventricles(atlas, self._shape)

    def _octaves(self, generator: np.random.Generator) -> NDArray[np.float32]:
        broad, *folds = (
            size * smooth_noise(generator, self._shape, sigma / _STEP) for sigma, size in _OCTAVES
        )
        return broad + self._inside * np.sum(folds, axis=0)

    def to_atlas(self, points: NDArray[np.float64], atrophy: float = 0.0) -> NDArray[np.float64]:
        """Take head points (n, 3) in mm to atlas points.

        `atrophy` are the millimetres by which the ventricles' walls have moved outwards since the baseline.
        """
        straight = points @ self._matrix.T
        places = ((straight - self._origin) / _STEP).T[::-1]
        moved = self._field
        if atrophy:
            moved = moved - atrophy * self._outwards + self._drift
        return straight + np.stack(
            [ndimage.map_coordinates(axis, places, order=1, mode="nearest") for axis in moved], axis=1
        )


def _coarse_shape(atlas: Atlas) -> Shape:
    z, y, x = (int(np.ceil(n / _STEP)) + 1 for n in atlas.shape)
    return z, y, x


def _fade_outside(atlas: Atlas, shape: Shape) -> NDArray[np.float32]:
    """1 in the brain and fading outside: gyri differ more between people than scalps do."""
    return _fit(np.exp(-_thinned(atlas.outside) / 4)[None], shape)[0]


def _thinned(volume: torch.Tensor) -> NDArray[np.float32]:
    step = int(_STEP)
    return volume.numpy()[::step, ::step, ::step]


def _shear(generator: np.random.Generator) -> NDArray[np.float64]:
    shear = generator.normal(0, 0.015, (3, 3))
    np.fill_diagonal(shear, 0)
    return shear


def _away_from_ventricles(atlas: Atlas, shape: Shape) -> NDArray[np.float32]:
    """Give directions (x, y, z) away from the ventricles, fading within two centimetres."""
    distance = ndimage.gaussian_filter(_thinned(atlas.to_ventricle), 0.7)
    slopes = np.stack(np.gradient(distance)[::-1]) / _STEP
    directions = slopes * np.exp(-distance / 12)
    return _fit(directions.astype(np.float32), shape)


def _fit(field: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    missing = [(0, 0)] + [(0, n - m) for n, m in zip(shape, field.shape[1:], strict=True)]
    return np.pad(field, missing, mode="edge")
