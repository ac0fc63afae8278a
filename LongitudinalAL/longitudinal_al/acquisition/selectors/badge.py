"""BADGE: gradients that are long and point in different directions."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, finite_rows
from longitudinal_al.acquisition.distances import squared_lengths
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.kcenter import squared_distances
from longitudinal_al.interruption import Interrupt


@canonical
def badge(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return candidates drawn by k-means++ over gradients: O(N * B * d) time, O(N) memory.

    A slice pair's gradient is that of the loss on its pseudo-label (the prediction, thresholded) with respect
    to the last layer: long where the network is unsure, and pointing to what it would learn. The first is the
    longest, as in the authors' code; then each is drawn with a probability in proportion to its squared
    distance to the nearest chosen one. Where all distances are 0, and for gradients that are not finite, by
    chance, the finite ones first. Use it for large batches with a model that is no longer new. Paper: Ash,
    Zhang, Krishnamurthy, Langford and Agarwal, "Deep batch active learning by diverse, uncertain gradient
    lower bounds", ICLR 2020 (arXiv 1906.03671).

    Raises
    ------
    NotReady
        There are no gradients.
    """
    gradients = candidates.own_features("badge")
    finite = finite_rows(gradients)
    gradients = gradients if finite.all() else np.where(finite[:, None], gradients, np.float32(0))
    choice = neighbours.start(candidates, interrupt)
    lengths = squared_lengths(gradients)
    nearest = np.full(len(candidates), np.inf)
    while len(choice.chosen) < batch and choice.open.any():
        if not choice.chosen and (choice.open & finite).any():
            index = int(np.where(choice.open & finite, lengths, -1.0).argmax())
        else:
            index = draw(np.where(choice.open & finite, nearest, 0.0), choice.open, finite, generator)
        choice.add(index)
        if finite[index]:
            nearest = np.minimum(nearest, squared_distances(gradients, gradients[index]))
    return choice.chosen


def draw(weight: np.ndarray, is_open: np.ndarray, finite: np.ndarray, generator: np.random.Generator) -> int:
    """Return an index drawn in proportion to its weight; without any weight, an open one by chance."""
    if not (weight > 0).any() or not np.isfinite(weight).all():
        weight = ((is_open & finite) if (is_open & finite).any() else is_open).astype(float)
    total = np.cumsum(weight, dtype=np.float64)
    return int(np.searchsorted(total, generator.random() * total[-1], side="right"))
