"""K-center: what is least like anything labelled or chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Features, finite_rows
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt

ROWS_AT_ONCE = 1024
LABELLED_AT_ONCE = 64


@canonical
def kcenter(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return the greedy k-center of the features: each time the candidate farthest from labelled and chosen.

    Paper: Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach", ICLR
    2018. Euclidean distance; the smallest distance of each candidate is kept and lowered with each choice:
    O(N * B) time, O(N) memory. Without any label, the first is the candidate nearest to the mean. Features
    that are not finite come last. Draws nothing. Use it for pools of many kinds of slices; it asks for
    outliers. As published in LMI-AL: a full N x N matrix over embeddings of 262,144 numbers.

    Raises
    ------
    NotReady
        There are no features.
    """
    features, labelled = candidates.needed_features("kcenter")
    usable = finite_rows(features)
    labelled = labelled[finite_rows(labelled)]
    choice = neighbours.start(candidates, interrupt)
    nearest = _first_distances(features, labelled, usable, interrupt)
    started = len(labelled) > 0
    while len(choice.chosen) < batch:
        distance = np.where(choice.open, np.where(usable, nearest, -1.0), -np.inf)
        index = int(distance.argmax())
        if distance[index] == -np.inf:
            break
        choice.add(index)
        if usable[index]:
            away = squared_distances(features, features[index])
            nearest = np.minimum(nearest, away) if started else away
            started = True
    return choice.chosen


def squared_distances(features: Features, centre: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared distance of each row to a centre, (n,); exact 0 for equal rows, a slab at a time."""
    squared = np.empty(len(features), dtype=np.float32)
    for start in range(0, len(features), ROWS_AT_ONCE):
        offset = features[start : start + ROWS_AT_ONCE] - centre
        np.einsum("ij,ij->i", offset, offset, out=squared[start : start + ROWS_AT_ONCE])
    return squared


def _first_distances(
    features: Features, labelled: Features, usable: NDArray[np.bool_], interrupt: Interrupt
) -> NDArray[np.float32]:
    """Return what the first choice maximises: distance to the labelled, or else closeness to the mean."""
    if len(labelled):
        return _distance_to_nearest(features, labelled, interrupt)
    if not usable.any():
        return np.zeros(len(features), dtype=np.float32)
    away = squared_distances(features, features[usable].mean(axis=0))
    return np.nanmax(np.where(usable, away, np.nan)) - away


def _distance_to_nearest(features: Features, labelled: Features, interrupt: Interrupt) -> NDArray[np.float32]:
    """Return each row's squared distance to its nearest labelled one, (n,), in O(N) memory.

    The nearest is found with |x|^2 - 2xy + |y|^2, which is fast but rounds; then the distance is taken
    exactly.
    """
    best = np.full(len(features), np.inf, dtype=np.float32)
    which = np.zeros(len(features), dtype=np.int64)
    for start in range(0, len(labelled), LABELLED_AT_ONCE):
        interrupt()
        block = labelled[start : start + LABELLED_AT_ONCE]
        away = np.einsum("ij,ij->i", block, block) - 2.0 * (features @ block.T)
        column = away.argmin(axis=1)
        lowest = np.take_along_axis(away, column[:, None], axis=1)[:, 0]
        nearer = lowest < best
        which[nearer] = start + column[nearer]
        best[nearer] = lowest[nearer]
    for start in range(0, len(features), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        offset = features[rows] - labelled[which[rows]]
        best[rows] = np.einsum("ij,ij->i", offset, offset)
    return best
