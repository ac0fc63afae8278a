"""Clusters of the pool, made once, on ids that stay."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from longitudinal_al.acquisition.candidates import Features, Integers, Strings, finite_rows

SLICE_PAIRS_A_CLUSTER = 20
MOST_CLUSTERS = 256


def cluster_count(pool: int) -> int:
    """Return how many clusters a pool gets: one for 20 slice pairs, 1 to 256."""
    return max(1, min(MOST_CLUSTERS, pool // SLICE_PAIRS_A_CLUSTER))


def cluster_pool(
    pair: Strings, index: Integers, features: Features, generator: np.random.Generator
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
        means = MiniBatchKMeans(
            count, n_init=1, batch_size=1024, max_iter=20, random_state=int(generator.integers(2**31))
        )
        with threadpool_limits(limits=1):
            clusters[usable] = means.fit_predict(features[usable])
    return clusters
