"""TypiClust: the most typical slice pair of every group that has no label yet."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Features, Floats, Integers, finite_rows
from longitudinal_al.acquisition.clustering import kmeans
from longitudinal_al.acquisition.distances import slabs, squared_distances, squared_lengths, unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt, never

NEAREST = 20
MOST_CLUSTERS = 500
SMALL_CLUSTER = 5


@canonical
def typiclust(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Cluster all, and take the most typical slice pair of each of the largest clusters without a label.

    There are as many clusters as labels and slice pairs of the batch together, at most 500; typical is who
    lies nearest to his 20 nearest neighbours in the cluster. Time O(N * (m + B) * d) for the clusters and
    O(N * N / (m + B) * d) for the neighbours, O(N) memory. Use it for the first rounds, when labels are fewer
    than kinds of slices. Paper: Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite
    strategies suit high and low budgets", ICML 2022 (arXiv 2202.02794), whose features come from
    self-supervised training: ``features=contrast``.

    Raises
    ------
    NotReady
        There are no features.
    """
    choice = neighbours.start(candidates, interrupt)
    order = typical_order(candidates, batch, choice.open, generator, interrupt)
    return take_in_order(choice, order.tolist(), batch)


def typical_order(
    candidates: Candidates,
    batch: int,
    is_open: np.ndarray,
    generator: np.random.Generator,
    interrupt: Interrupt = never,
) -> Integers:
    """Return the open candidates in TypiClust's order.

    Clusters with fewer labels come first, of these the larger ones; each time a cluster has given one, that
    counts like a label. Clusters with fewer than 5 members come last, features that are not finite after all.
    """
    features, labelled = candidates.needed_features("typiclust")
    own, theirs = np.flatnonzero(finite_rows(features)), finite_rows(labelled)
    rows = np.concatenate([unit_rows(features[own]), unit_rows(labelled[theirs])])
    count = min(MOST_CLUSTERS, len(candidates.labelled) + batch)
    cluster = kmeans(rows, count, generator, interrupt)
    typical = typicality(rows, cluster, interrupt)[: len(own)]
    sizes = np.bincount(cluster, minlength=1)
    labels = np.bincount(cluster[len(own) :], minlength=len(sizes))
    cluster, may = cluster[: len(own)], is_open[own]
    ranked = np.lexsort((-typical, ~may, cluster))  # in each cluster: the open ones, the most typical first
    turn = labels[cluster]
    turn[ranked] += turns(cluster[ranked])
    order = np.lexsort((cluster, -sizes[cluster], turn, sizes[cluster] < SMALL_CLUSTER))
    rest = np.flatnonzero(~finite_rows(features) & is_open)
    return np.concatenate([own[order][may[order]], rest])


def typicality(rows: Features, cluster: Integers, interrupt: Interrupt = never) -> Floats:
    """Return how typical each row is of its cluster, (n,): 1 / mean distance to its 20 nearest in it."""
    found = np.zeros(len(rows))
    by_cluster = np.argsort(cluster, kind="stable")
    for members in np.split(by_cluster, np.flatnonzero(np.diff(cluster[by_cluster])) + 1):
        near = min(NEAREST, len(members) - 1)
        if near < 1:
            continue
        inside = rows[members]
        squares = squared_lengths(inside)
        for part in slabs(len(members)):
            interrupt()
            away = squared_distances(inside[part], squares[part], inside, squares)
            away[np.arange(len(away)), np.arange(part.start, part.stop)] = -1.0  # itself, first in any case
            nearest = np.partition(away, near, axis=1)[:, : near + 1]
            distance = np.sqrt(np.maximum(nearest, 0.0)).sum(axis=1) / near
            found[members[part]] = 1.0 / np.maximum(distance, 1e-6)
    return found


def turns(sorted_groups: Integers) -> Integers:
    """Return the place of each entry in its group, 0 for the first; groups lie together.

    Examples
    --------
    >>> turns(np.array([4, 4, 4, 7, 9, 9])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    first = np.flatnonzero(np.diff(sorted_groups, prepend=-1)) if len(sorted_groups) else sorted_groups
    sizes = np.diff(np.append(first, len(sorted_groups)))
    return np.arange(len(sorted_groups)) - np.repeat(first, sizes)
