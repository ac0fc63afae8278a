"""Clusters of the pool, made once, on ids that stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from longitudinal_al.acquisition.candidates import Features, Integers, Strings, finite_rows
from longitudinal_al.acquisition.distances import slabs, squared_distances, squared_lengths
from longitudinal_al.interruption import Interrupt, never

SLICE_PAIRS_A_CLUSTER = 20
MOST_CLUSTERS = 256
ITERATIONS = 10
SEEN_BY_THE_SEEDING = 3
"""Rows a cluster that the first centres are drawn from."""


def cluster_count(pool: int) -> int:
    """Return how many clusters a pool gets: one for 20 slice pairs, 1 to 256."""
    return max(1, min(MOST_CLUSTERS, pool // SLICE_PAIRS_A_CLUSTER))


def cluster_pool(
    pair: Strings,
    index: Integers,
    features: Features,
    generator: np.random.Generator,
    interrupt: Interrupt = never,
) -> Integers:
    """Cluster all slice pairs of the pool, labelled ones included, (n,).

    Parameters
    ----------
    pair, index
        Ids and slices, (n,): they decide the order in which the clustering sees the features, so a shuffled
        pool gives the same clusters.
    features
        (n, d) float32. Rows that are not finite get a cluster of their own.
    generator
        Draws the first centres.
    interrupt
        Called at every mini-batch.

    Notes
    -----
    Cluster-margin's paper uses agglomerative clustering, which takes O(N^2) memory or time. Mini-batch
    k-means (Sculley, "Web-scale k-means clustering", WWW 2010) takes O(N) memory and gives the same kind of
    partition. Call it once and keep the clusters with the ids: clusters made anew each round with the
    numbers of the round before are the published misalignment. One thread only: its threads wait by spinning,
    which on two cores that are busy otherwise took ten times as long.
    """
    clusters = np.zeros(len(pair), dtype=np.int64)
    order = np.lexsort((index, pair))
    usable = order[finite_rows(features)[order]]
    clusters[order] = count = cluster_count(len(usable)) if len(usable) else 0
    if count:
        from longitudinal_al.acquisition.stoppable_kmeans import StoppableKMeans

        seed = int(generator.integers(2**31))
        means = StoppableKMeans(count, n_init=1, batch_size=1024, max_iter=20, random_state=seed)
        means.interrupt = interrupt
        with threadpool_limits(limits=1):
            clusters[usable] = means.fit_predict(features[usable])
    return clusters


def kmeans(
    features: Features,
    count: int,
    generator: np.random.Generator,
    interrupt: Interrupt = never,
    iterations: int = ITERATIONS,
) -> Integers:
    """Cluster rows by k-means, (n,): numbers from 0; fewer clusters than asked for where rows are equal.

    Parameters
    ----------
    features
        (n, d) float32, finite.
    count
        How many clusters, at least 1.
    generator
        Draws the first centres: k-means++ (Arthur and Vassilvitskii, SODA 2007) on a random part of the rows.
    interrupt
        Called at every slab of rows.
    iterations
        Of Lloyd's algorithm at most; it ends before when nothing changes. O(n * count * d) time each.
    """
    if not len(features):
        return np.zeros(0, dtype=np.int64)
    centres = _first_centres(features, count, generator, interrupt)
    squares = squared_lengths(features)
    own = np.full(len(features), -1, dtype=np.int64)
    for _ in range(iterations):
        nearest = _nearest(features, squares, centres, interrupt)
        if (nearest == own).all():
            break
        own = nearest
        centres = _means(features, own, centres)
    return np.unique(own, return_inverse=True)[1].astype(np.int64)


def _first_centres(
    features: Features, count: int, generator: np.random.Generator, interrupt: Interrupt
) -> Features:
    """Return at most ``count`` different rows, drawn one by one by the squared distance to those before."""
    seen = generator.permutation(len(features))[: max(SEEN_BY_THE_SEEDING * count, 1)]
    rows = features[np.sort(seen)]
    squares = squared_lengths(rows)
    centres = [int(generator.integers(len(rows)))]
    nearest = np.full(len(rows), np.inf, dtype=np.float32)
    while True:
        interrupt()
        newest = centres[-1:]
        away = squared_distances(rows, squares, rows[newest], squares[newest])[:, 0]
        np.minimum(nearest, away, out=nearest)
        nearest[nearest < 1e-6 * squares] = 0.0  # rounding: a row equal to a centre is at no distance
        total = np.cumsum(nearest, dtype=np.float64)
        if len(centres) == min(count, len(rows)) or total[-1] <= 0:
            return rows[centres]
        centres.append(int(np.searchsorted(total, generator.random() * total[-1], side="right")))


def _nearest(features: Features, squares: Any, centres: Features, interrupt: Interrupt) -> Integers:
    """Return the number of the nearest centre of each row, (n,)."""
    nearest = np.empty(len(features), dtype=np.int64)
    lengths = squared_lengths(centres)
    for rows in slabs(len(features)):
        interrupt()
        nearest[rows] = squared_distances(features[rows], squares[rows], centres, lengths).argmin(axis=1)
    return nearest


def _means(features: Features, own: Integers, before: Features) -> Features:
    """Return the mean of each cluster; a cluster without rows keeps its centre."""
    order = np.argsort(own, kind="stable")
    numbers, starts, sizes = np.unique(own[order], return_index=True, return_counts=True)
    centres = before.copy()
    centres[numbers] = np.add.reduceat(features[order], starts, axis=0) / sizes[:, None].astype(np.float32)
    return centres
