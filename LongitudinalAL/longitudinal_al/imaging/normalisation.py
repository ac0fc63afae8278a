"""Robust intensity scales: what makes two scans of one patient comparable.

MR intensities have no unit. Inside the foreground, the median becomes 0 and 1.4826 times the median absolute
deviation (the standard deviation of a normal distribution) becomes 1: lesions, being few, do not move either.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.imaging.reading import same_grid

SMALLEST_FOREGROUND = 100
"""A median of fewer voxels than this says nothing about a scan."""


def normalise(image: sitk.Image, foreground: sitk.Image) -> sitk.Image:
    """Scale a scan to robust z units of its foreground.

    Parameters
    ----------
    image : SimpleITK.Image
        3-D scan.
    foreground : SimpleITK.Image
        Mask on the same grid; everything above zero counts.

    Returns
    -------
    SimpleITK.Image
        float32 on the same grid: median 0 and 1.4826 x median absolute deviation 1 in the foreground. The
        outside is scaled alike, not cut off.

    Raises
    ------
    GeometryMismatch
        If the two do not share a grid.
    InvalidInput
        If the foreground is nearly empty or the scan is constant in it.
    """
    inside = foreground_array(image, foreground)
    values = sitk.GetArrayViewFromImage(image)
    centre, scale = centre_and_scale(values[inside])
    return image_like(image, (values.astype(np.float32) - np.float32(centre)) / np.float32(scale))


def centre_and_scale(values: np.ndarray) -> tuple[float, float]:
    """Return the median and 1.4826 times the median absolute deviation of some voxels.

    Where more than half of the voxels are equal, their standard deviation takes the place of the second.

    Raises
    ------
    InvalidInput
        If there are too few voxels, or all are equal, or some are not finite.
    """
    if values.size < SMALLEST_FOREGROUND:
        raise InvalidInput(
            f"the foreground holds only {values.size} voxels (at least {SMALLEST_FOREGROUND} are needed): "
            "give another foreground mask, or check that both scans show the same body part"
        )
    centre = float(np.median(values))
    scale = 1.4826 * float(np.median(np.abs(values - centre)))
    if scale == 0:
        scale = float(np.std(values, dtype=np.float64))
    if not np.isfinite(scale):
        raise InvalidInput(
            "the scan holds NaN or infinite values inside the foreground: repair or leave out the scan"
        )
    if scale <= 1e-6 * abs(centre) or scale == 0:
        raise InvalidInput("the scan is constant inside the foreground: it cannot be normalised or compared")
    return centre, scale


def robust_z(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Scale an array by the centre and scale of its voxels `inside` (same shape, bool); float32."""
    centre, scale = centre_and_scale(values[inside])
    return ((values - np.float32(centre)) / np.float32(scale)).astype(np.float32)


def match_histogram(
    values: np.ndarray, target: np.ndarray, inside: np.ndarray, levels: int = 256
) -> np.ndarray:
    """Map intensities so that their distribution `inside` becomes that of the target (Nyul and Udupa 1999).

    Parameters
    ----------
    values, target : numpy.ndarray
        Two scans on one grid, of one shape.
    inside : numpy.ndarray
        Mask (bool) of the voxels that count.
    levels : int
        Number of quantiles that are matched; between them the map is linear.
    """
    quantiles = np.linspace(0.0, 1.0, levels)
    source_levels, target_levels = (_quantiles(image[inside], quantiles) for image in (values, target))
    return np.interp(values, source_levels, target_levels).astype(np.float32)


def _quantiles(values: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return many quantiles at once: one sort takes half the time of `numpy.quantile`."""
    ordered = np.sort(values)
    return np.interp(quantiles * (ordered.size - 1), np.arange(ordered.size), ordered)


def foreground_array(image: sitk.Image, foreground: sitk.Image) -> np.ndarray:
    """Return the foreground as a bool array (slices, rows, columns), checked to lie on the image's grid.

    Raises
    ------
    GeometryMismatch
        If the sizes, spacings, origins or directions differ.
    """
    check_same_grid(image, foreground, "scan", "foreground")
    return sitk.GetArrayViewFromImage(foreground) > 0


def check_same_grid(a: sitk.Image, b: sitk.Image, name_a: str, name_b: str) -> None:
    """Raise GeometryMismatch unless two images have the same voxels at the same places."""
    if not same_grid(a, b):
        raise GeometryMismatch(
            f"{name_a} ({a.GetSize()} voxels of {_spacing(a)} mm) and "
            f"{name_b} ({b.GetSize()} voxels of {_spacing(b)} mm) "
            "lie on different grids: resample one onto the other first"
        )


def image_like(grid: sitk.Image, values: np.ndarray) -> sitk.Image:
    """Wrap an array (slices, rows, columns) as an image on the given grid."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.CopyInformation(grid)
    return image


def _spacing(image: sitk.Image) -> str:
    return " x ".join(f"{value:.3g}" for value in image.GetSpacing())
