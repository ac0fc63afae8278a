"""Distance between the outlines of a predicted and a reference mask of change, in mm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_erosion, find_objects
from scipy.spatial import KDTree


def hd95(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> float | None:
    """
    Return the 95 % Hausdorff distance between two masks.

    The 95th percentile of the distances from each outline voxel of one mask to the nearest outline voxel of
    the other is taken both ways, and the larger is returned, as `monai.metrics.HausdorffDistanceMetric`
    does. Nearest voxels come from a tree over the outlines: lesions are small, and a distance map of the
    whole volume is not.

    Parameters
    ----------
    prediction, reference : numpy.ndarray of bool
        Masks of the same shape.
    spacing_mm : sequence of float
        Size of a voxel along each axis of the arrays.

    Returns
    -------
    float or None
        Distance in mm; None where one of the masks is empty, since there is then no outline to measure to.
    """
    ours = outline_points(prediction, spacing_mm)
    theirs = outline_points(reference, spacing_mm)
    if len(ours) == 0 or len(theirs) == 0:
        return None
    there, _ = KDTree(theirs).query(ours)
    back, _ = KDTree(ours).query(theirs)
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def outline_points(mask: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Return the positions in mm, shape (n, dimensions), of the voxels of `mask` that touch its outside."""
    boxes = find_objects(mask.astype(np.uint8))
    if not boxes:
        return np.empty((0, mask.ndim))
    inside = mask[boxes[0]]
    corner = np.array([part.start for part in boxes[0]])
    outline = inside & ~binary_erosion(inside)
    return (np.argwhere(outline) + corner) * np.asarray(spacing_mm, dtype=float)
