"""What registration looks at: reduced copies of a scan, locally normalised, and points in the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.imaging.poses import turned

MOST_VOXELS = 1_600_000
SKULL_DEPTH_MM = 15.0
DEPTH_STEP_MM = 4.0
FLATTEST = 0.15  # share of the usual local contrast below which a place counts as flat


@dataclass(frozen=True)
class Volume:
    """An array (slices, rows, columns) with the map from its indices (column, row, slice) to millimetres."""

    values: np.ndarray
    steps: np.ndarray  # (3, 3): its columns are the steps along column, row and slice index, in mm
    origin: np.ndarray  # (3,) mm

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size (3,) in mm, in the order column, row, slice."""
        return np.linalg.norm(self.steps, axis=0)

    def points_of(self, indices: np.ndarray) -> np.ndarray:
        """Physical points (n, 3) in mm of array indices (n, 3) in the order slice, row, column."""
        return turned(indices[:, ::-1], self.steps) + self.origin

    def indices_of(self, points: np.ndarray) -> np.ndarray:
        """Fractional array indices (3, n), in the order slice, row, column, of physical points (n, 3)."""
        return np.ascontiguousarray(turned(points - self.origin, np.linalg.inv(self.steps)).T[::-1])

    def sample(self, indices: np.ndarray) -> np.ndarray:
        """Values at fractional array indices (3, n), linearly interpolated; NaN outside the scan."""
        return ndimage.map_coordinates(self.values, indices, order=1, mode="constant", cval=np.nan)

    def with_values(self, values: np.ndarray) -> Volume:
        """Return another array on the same grid."""
        return Volume(values, self.steps, self.origin)


def reduced(image: sitk.Image, resolution_mm: float) -> Volume:
    """Average blocks of voxels until they are about `resolution_mm` wide; huge scans are reduced further."""
    factors = _factors(image, resolution_mm)
    while np.prod(np.array(image.GetSize()) / factors) > MOST_VOXELS:
        resolution_mm *= 1.1
        factors = _factors(image, resolution_mm)
    small = sitk.BinShrink(image, factors) if max(factors) > 1 else image
    direction = np.array(small.GetDirection()).reshape(3, 3)
    values = sitk.GetArrayFromImage(small).astype(np.float32, copy=False)
    return Volume(values, direction * np.array(small.GetSpacing()), np.array(small.GetOrigin()))


def _factors(image: sitk.Image, resolution_mm: float) -> list[int]:
    """Return a whole shrink factor for each axis that leaves at least two voxels along it."""
    return [
        int(np.clip(round(resolution_mm / step), 1, max(1, size // 2)))
        for step, size in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]


def smoothed(volume: Volume, sigma_mm: float) -> Volume:
    """Blur with a Gaussian of `sigma_mm`."""
    sigma = sigma_mm / volume.spacing[::-1]
    return volume.with_values(ndimage.gaussian_filter(volume.values, sigma, truncate=3.0))


def locally_normalised(volume: Volume, window_mm: float) -> Volume:
    """Subtract the mean and divide by the standard deviation of the `window_mm` wide box around each voxel.

    What is left is free of bias fields and of most of a protocol's contrast, so that least squares on it
    act like the local cross-correlation. Flat places (air) stay near zero rather than show their noise.
    """
    size = np.maximum(1, 2 * np.round(window_mm / volume.spacing[::-1] / 2).astype(int) + 1)
    values = volume.values - volume.values.mean()  # keeps the squares small enough for float32
    mean = ndimage.uniform_filter(values, size, mode="nearest")
    square = ndimage.uniform_filter(values**2, size, mode="nearest")
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
    floor = FLATTEST * float(np.percentile(deviation[::2, ::4, ::4], 95)) + 1e-12
    return volume.with_values((values - mean) / np.sqrt(deviation**2 + floor**2))


def head_mask(volume: Volume) -> Volume:
    """Find the head: brighter than Otsu's threshold of the clipped scan, largest part, holes filled."""
    low, high = np.percentile(volume.values, [1.0, 99.0])
    bright = volume.values > low + 0.6 * (_otsu(np.clip(volume.values, low, high)) - low)
    parts, count = ndimage.label(bright)
    if count == 0:
        return volume.with_values(np.ones(volume.values.shape, bool))
    largest = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    for k in range(largest.shape[0]):
        largest[k] = ndimage.binary_fill_holes(largest[k])
    return volume.with_values(largest)


def inside_skull(head: Volume) -> Volume:
    """Keep of a head mask what lies 15 mm deep (in small heads: deeper than a third of the way).

    The brain moves as one with the skull's inside; scalp, jaw and neck do not. The scan's own borders count
    as no surface.
    """
    coarse = np.max([np.ones(3), np.round(DEPTH_STEP_MM / head.spacing[::-1])], axis=0).astype(int)
    thinned = tuple(slice(None, None, step) for step in coarse)
    depth = ndimage.distance_transform_edt(head.values[thinned], sampling=head.spacing[::-1] * coarse)
    deep = depth >= min(SKULL_DEPTH_MM, depth.max() / 3)
    for axis, step in enumerate(coarse):
        deep = np.repeat(deep, step, axis=axis)
    return head.with_values(deep[tuple(slice(0, n) for n in head.values.shape)] & head.values)


def _otsu(values: np.ndarray) -> float:
    """Return Otsu's threshold from a histogram of 128 bins."""
    counts, edges = np.histogram(values, 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts).astype(float)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    mean_below = sums / np.maximum(below, 1)
    mean_above = (sums[-1] - sums) / np.maximum(above, 1)
    return float(centres[np.argmax(below * above * (mean_above - mean_below) ** 2)])


def drawn_points(mask: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw at most `count` voxels of a mask: indices (n, 3) in the order slice, row, column."""
    inside = np.flatnonzero(mask)
    if inside.size > count:
        inside = np.sort(generator.choice(inside, count, replace=False))
    return np.stack(np.unravel_index(inside, mask.shape), axis=1)
