"""Cluster-margin: the smallest margins, taken in turns from the clusters they lie in."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Integers
from longitudinal_al.acquisition.clustering import cluster_pool
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt, never

KEEP = 10
CLUSTERING_SEED = 0


@canonical
def cluster_margin(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Keep the 10 * batch smallest margins, then draw from their clusters in turns, smallest cluster first.

    Paper: Citovsky et al., "Batch Active Learning at Scale", NeurIPS 2021 (arXiv 2107.14263), with mini-batch
    k-means instead of agglomerative clustering (see ``cluster_pool``). The score is the margin's, so the
    highest scores are the smallest margins; within a cluster the paper draws at random, and so does this. If
    the turns run out because of the spacing, the next smallest margins fill the batch. Without given
    clusters, the whole pool (labelled slice pairs included) is clustered with a fixed seed, so equal features
    give equal clusters in every round. As published in LMI-AL the margins were thrown away and the clusters
    misaligned after the first round.
    O(N log N) time after the clustering, O(N) memory. Use it for large batches.

    Raises
    ------
    NotReady
        There are neither clusters nor features.
    """
    clusters = candidates.cluster if candidates.cluster is not None else _cluster(candidates, interrupt)
    choice = neighbours.start(candidates, interrupt)
    score = candidates.ranking_score()
    order = np.argsort(-score, kind="stable")
    kept = order[(choice.open & np.isfinite(score))[order]][: KEEP * batch]
    take_in_order(choice, _turns(np.sort(kept), clusters, generator).tolist(), batch)
    return take_in_order(choice, order.tolist(), batch)


def _cluster(candidates: Candidates, interrupt: Interrupt = never) -> Integers:
    """Return clusters of the candidates, made on the whole pool."""
    features, labelled = candidates.needed_features("cluster_margin")
    pair = np.concatenate([candidates.pair, candidates.labelled.pair])
    index = np.concatenate([candidates.slice, candidates.labelled.slice])
    everything = np.concatenate([features, labelled])
    generator = np.random.default_rng(CLUSTERING_SEED)
    return cluster_pool(pair, index, everything, generator, interrupt)[: len(candidates)]


def _turns(kept: Integers, clusters: Integers, generator: np.random.Generator) -> Integers:
    """Return the kept candidates in turns: one of each cluster, smallest cluster first, again and again."""
    shuffled = generator.permutation(kept)
    _, own, sizes = np.unique(clusters[shuffled], return_inverse=True, return_counts=True)
    by_cluster = np.argsort(own, kind="stable")
    starts = np.cumsum(sizes) - sizes
    turn = np.empty(len(shuffled), dtype=np.int64)
    turn[by_cluster] = np.arange(len(shuffled)) - np.repeat(starts, sizes)
    return shuffled[np.lexsort((own, sizes[own], turn))]
