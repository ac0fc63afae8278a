"""A simulated annotator, who knows the reference mask and may make human mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from longitudinal_al.errors import InvalidInput

# The name under which simulated labels are stored, so that nobody takes them for a person's.
ANNOTATOR = "simulated"


@dataclass(frozen=True)
class HumanFaults:
    """
    How far the simulated annotator strays from the reference; the default is not at all.

    Attributes
    ----------
    half_missed : float
        Size at which half of the lesions are missed, in mm2 for slices and mm3 for volumes; 0: none is
        missed. The probability halves with every further `half_missed` of size. A slice pair is labelled on
        its own, so a lesion is missed or seen in each slice anew.
    outline_mm : float
        Standard deviation of the outline's displacement; 0: the outline is exact.
    outline_smoothness_mm : float
        Distance over which the displacement changes along the outline.
    """

    half_missed: float = 0.0
    outline_mm: float = 0.0
    outline_smoothness_mm: float = 4.0

    def __post_init__(self) -> None:
        """Refuse sizes that mean nothing."""
        if min(self.half_missed, self.outline_mm, self.outline_smoothness_mm) < 0:
            raise InvalidInput(f"{self}: a fault of the simulated annotator cannot be below zero")


class Oracle:
    """
    An annotator simulated from a reference mask.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the mistakes; unused without faults.
    faults : HumanFaults
        The mistakes to make; none by default.
    """

    annotator = ANNOTATOR

    def __init__(self, generator: np.random.Generator, faults: HumanFaults | None = None) -> None:
        self._generator = generator
        self._faults = faults or HumanFaults()

    def label(self, reference: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
        """
        Return the label that the simulated annotator gives.

        Parameters
        ----------
        reference : numpy.ndarray, shape (rows, columns) or (slices, rows, columns)
            Reference mask; everything but 0 is change.
        spacing_mm : sequence of float
            Size of a pixel or voxel along each axis.

        Returns
        -------
        numpy.ndarray of uint8
            Mask of the same shape, a new array.
        """
        mask = reference != 0
        if self._faults.half_missed > 0:
            mask = miss_small_lesions(mask, spacing_mm, self._faults.half_missed, self._generator)
        if self._faults.outline_mm > 0:
            faults = self._faults
            mask = shake_outlines(
                mask, spacing_mm, faults.outline_mm, faults.outline_smoothness_mm, self._generator
            )
        return mask.astype(np.uint8)


def miss_small_lesions(
    mask: np.ndarray, spacing_mm: Sequence[float], half_missed: float, generator: np.random.Generator
) -> np.ndarray:
    """Take each lesion out of a bool mask with probability 2 ** −(its size / `half_missed`)."""
    labels, lesions = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=lesions + 1)[1:] * math.prod(spacing_mm)
    seen = generator.random(lesions) >= 2.0 ** -(sizes / half_missed)
    return np.concatenate([[False], seen])[labels]


def shake_outlines(
    mask: np.ndarray,
    spacing_mm: Sequence[float],
    outline_mm: float,
    smoothness_mm: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """
    Move the outline of a bool mask in and out by a smooth random distance.

    The core of each lesion stays, whatever the draw: overlooking a lesion is the other fault.

    Parameters
    ----------
    mask : numpy.ndarray of bool
    spacing_mm : sequence of float
        Size of a voxel along each axis.
    outline_mm : float
        Standard deviation of the displacement, in mm.
    smoothness_mm : float
        Standard deviation of the Gaussian that smooths the displacement, in mm.
    generator : numpy.random.Generator
    """
    if not mask.any():
        return mask.copy()
    depth = _depth_mm(mask, spacing_mm)
    labels, lesions = ndimage.label(mask)
    deepest = np.concatenate([[np.inf], ndimage.maximum(depth, labels, np.arange(1, lesions + 1))])
    core = depth >= deepest[labels]
    displacement = outline_mm * _smooth_noise(mask.shape, spacing_mm, smoothness_mm, generator)
    return (depth + displacement > 0) | core


def _depth_mm(mask: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Return the distance to the outline: above zero inside, below zero outside."""
    # The outline runs between the voxels, half of one away from the centres on both of its sides.
    half = min(spacing_mm) / 2
    inside = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    return np.where(mask, inside - half, half - outside)


def _smooth_noise(
    shape: tuple[int, ...], spacing_mm: Sequence[float], smoothness_mm: float, generator: np.random.Generator
) -> np.ndarray:
    """Return Gaussian noise of standard deviation 1 that is smooth over `smoothness_mm`."""
    white = generator.standard_normal(shape)
    smooth = ndimage.gaussian_filter(white, [smoothness_mm / size for size in spacing_mm], mode="wrap")
    return smooth / smooth.std()
