"""Overlap of a predicted and a reference mask of change, voxel by voxel."""

from __future__ import annotations

import numpy as np


def dice(prediction: np.ndarray, reference: np.ndarray) -> float | None:
    """
    Return the Dice overlap of change, without the background.

    Parameters
    ----------
    prediction, reference : numpy.ndarray of bool
        Masks of the same shape, any number of dimensions.

    Returns
    -------
    float or None
        2 |A and B| / (|A| + |B|), from 0 to 1; 0 where the reference has change and the prediction none;
        None where the reference has no change, since an empty slice that is right would otherwise count as 1
        and hide the lesions.
    """
    reference_voxels = np.count_nonzero(reference)
    if reference_voxels == 0:
        return None
    shared = np.count_nonzero(prediction & reference)
    return float(2.0 * shared / (np.count_nonzero(prediction) + reference_voxels))
