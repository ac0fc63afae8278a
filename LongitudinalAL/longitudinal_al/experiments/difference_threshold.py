"""The best that a mere threshold on the difference image can do: what every network has to beat."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.pairs.pool import PreparedPair
from longitudinal_al.pairs.slices import slices_of

THRESHOLDS = np.geomspace(1.0, 200.0, 100)


def best_threshold_dice(test: TestPairs) -> dict[str, float]:
    """Return the threshold on the absolute difference whose mean Dice over the test pairs is largest.

    The threshold is chosen on the test pairs themselves: an upper bound for any threshold.

    Returns
    -------
    dict
        ``dice``, the mean over the pairs with change, and ``threshold``, in robust z.
    """
    curves = [
        _dice_curve(pair, test.references[name])
        for name, pair in test.pool.pairs.items()
        if test.references[name].any()
    ]
    mean = np.mean(curves, axis=0) if curves else np.zeros(len(THRESHOLDS))
    best = int(np.argmax(mean))
    return {"dice": float(mean[best]), "threshold": float(THRESHOLDS[best])}


def _dice_curve(pair: PreparedPair, reference: np.ndarray) -> np.ndarray:
    """Return the pair's Dice at each of the thresholds."""
    image = sitk.ReadImage(str(pair.folder / "difference.nii.gz"))
    size = np.abs(slices_of(image, pair.record.slice_axis))
    inside = np.sort(size[reference])
    every = np.sort(size[size >= THRESHOLDS[0]])
    hits = len(inside) - np.searchsorted(inside, THRESHOLDS)
    predicted = len(every) - np.searchsorted(every, THRESHOLDS)
    return 2 * hits / (predicted + np.count_nonzero(reference))
