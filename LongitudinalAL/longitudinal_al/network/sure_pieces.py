"""From probabilities to the mask of a pair: all of a piece of change, or none of it.

A pixel is change when its probability is at least 0.5, and a connected piece of such pixels counts when it is
at least 0.95 somewhere (hysteresis thresholding; Canny, "A computational approach to edge detection", IEEE
TPAMI 1986). Pieces that are nowhere sure are mostly artefacts: see docs/decisions/sure-pieces.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import label

from longitudinal_al.network.committee import Committee
from longitudinal_al.network.prediction import predicted_probabilities
from longitudinal_al.pairs.pool import Pool

THRESHOLD, SURE = 0.5, 0.95


def sure_pieces(probability: np.ndarray, sure: float = SURE) -> np.ndarray:
    """Return the mask of change, boolean, of probabilities (slices, rows, columns) of a whole pair."""
    pieces, count = label(probability >= THRESHOLD)
    counts = np.zeros(count + 1, bool)
    counts[pieces[probability >= sure]] = True
    return counts[pieces]


def pair_probability(
    committee: Committee,
    pool: Pool,
    pair: str,
    slices: int,
    progress: Callable[[float], None] = lambda share: None,
    *,
    turned: bool = True,
) -> np.ndarray:
    """Predict every slice of a pair.

    Parameters
    ----------
    committee : Committee
        The networks that decide together.
    pool : Pool
        Holds the pair.
    pair : str
        Its name.
    slices : int
        How many the pair's grid has; the probability is 0 in those that are not in the pool.
    progress : callable
        Called with the share that is done.
    turned : bool
        Whether the networks look at each slice upside down too, see `predict`.

    Returns
    -------
    numpy.ndarray
        Probability of change, float32, (slices, rows, columns) of the pair's grid.
    """
    prepared = pool.pairs[pair]
    rows = [pool.index[(pair, index)] for index in prepared.record.slices]
    probability = np.zeros((slices, *prepared.grid_shape), np.float32)
    for done, (row, found) in enumerate(predicted_probabilities(committee, pool, rows, turned=turned)):
        probability[pool.entries[row].slice] = found
        progress(done / len(rows))
    return probability
