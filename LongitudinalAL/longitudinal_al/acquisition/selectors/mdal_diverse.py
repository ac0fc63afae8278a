"""DiverseMD: the largest modality difference of every group of slice pairs."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Integers, finite_rows
from longitudinal_al.acquisition.clustering import kmeans
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.typiclust import turns
from longitudinal_al.acquisition.shares import by_trust
from longitudinal_al.interruption import Interrupt


@canonical
def mdal_diverse(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Take the largest modality difference of each of B groups, made of the joined features by k-means.

    Pairs whose registration check failed come last, the largest difference first. If the spacing closes the
    first of a group, the next of the groups come in turns. O(N * B * d) time, O(N) memory. Use it as
    ``mdal_max``, for a batch that shows more kinds of slices. Paper and reservation as for ``mdal_max``.

    Raises
    ------
    NotReady
        There are no contrastive features.
    """
    choice = neighbours.start(candidates, interrupt)
    order = _order(candidates, batch, choice.open, generator, interrupt)
    return take_in_order(choice, order.tolist(), batch)


def _order(
    candidates: Candidates,
    groups: int,
    is_open: np.ndarray,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> Integers:
    """Return the open candidates: the highest score of each group, then the second of each, and so on.

    Within a turn the highest come first. In no group, and after them, come first what has no finite score or
    features, and then what is held back, the highest first.
    """
    features = candidates.own_features("mdal_diverse")
    value = np.where(finite_rows(features), candidates.ranking_score(), -np.inf)
    able = is_open & (value > -np.inf)
    if candidates.held_back is not None:
        able &= ~candidates.held_back
    rows = np.flatnonzero(able)
    cluster = kmeans(features[rows], groups, generator, interrupt)
    ranked = np.lexsort((-value[rows], cluster))
    turn = np.empty(len(rows), dtype=np.int64)
    turn[ranked] = turns(cluster[ranked])
    rest = by_trust(value, candidates)
    return np.concatenate([rows[np.lexsort((-value[rows], turn))], rest[(is_open & ~able)[rest]]])
