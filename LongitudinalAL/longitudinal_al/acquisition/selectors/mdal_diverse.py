"""DiverseMD: the largest modality difference of every group of slice pairs."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Floats, Integers, finite_rows
from longitudinal_al.acquisition.clustering import kmeans
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.typiclust import turns
from longitudinal_al.acquisition.shares import trusted
from longitudinal_al.interruption import Interrupt, never


@canonical
def mdal_diverse(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Take the largest modality difference of each of B groups, made of the joined features by k-means.

    Pairs whose registration check failed come last. If the spacing closes the first of a group, the next of
    the groups come in turns. O(N * B * d) time, O(N) memory. Use it as ``mdal_max``, for a batch that shows
    more kinds of slices. Paper and reservation as for ``mdal_max``.

    Raises
    ------
    NotReady
        There are no contrastive features.
    """
    choice = neighbours.start(candidates, interrupt)
    value = trusted(candidates.ranking_score(), candidates)
    order = diverse_order(candidates, value, batch, choice.open, generator, interrupt)
    return take_in_order(choice, order.tolist(), batch)


def diverse_order(
    candidates: Candidates,
    value: Floats,
    groups: int,
    is_open: np.ndarray,
    generator: np.random.Generator,
    interrupt: Interrupt = never,
) -> Integers:
    """Return the open candidates: the highest value of each group, then the second of each, and so on.

    Within a turn the highest come first; what has no value (-inf) or no finite features comes last.
    """
    features = candidates.own_features("mdal_diverse")
    able = finite_rows(features) & is_open & (value > -np.inf)
    rows = np.flatnonzero(able)
    cluster = kmeans(features[rows], groups, generator, interrupt)
    ranked = np.lexsort((-value[rows], cluster))
    turn = np.empty(len(rows), dtype=np.int64)
    turn[ranked] = turns(cluster[ranked])
    first = rows[np.lexsort((-value[rows], turn))]
    return np.concatenate([first, np.flatnonzero(is_open & ~able)])
