"""Hybrid: uncertain first, and among the uncertain the least redundant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Features, finite_rows
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt

KEEP = 10
LARGEST_CORRELATION = 0.999
REFERENCES_AT_ONCE = 64


@canonical
def hybrid(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Keep the 10 * batch highest scores, then choose one by one what is least redundant.

    The redundancy of two slice pairs is their similarity (cosine) plus their mutual information in nats
    (Gaussian, -1/2 log(1 - rho^2), rho their correlation), both on the pair's features, from which the
    pool's mean is taken; a candidate's redundancy is its largest with any labelled or chosen slice pair. Of
    equally redundant ones the more uncertain comes first, so without labels the first is the most uncertain.
    If the spacing closes too many, the next highest scores fill the batch. O(N log N + N * d + B^2 * d) time,
    O(N) memory. Draws nothing. Use it where the highest entropies are many slices of one kind.

    Paper: LMI-AL, IJCNN 2025 (arXiv 2511.18007). As published it preferred the *most* similar slices,
    computed on the baseline image alone with loops over all pairs of slices.

    Raises
    ------
    NotReady
        There are no features.
    """
    features, labelled = candidates.needed_features("hybrid")
    choice = neighbours.start(candidates, interrupt)
    score = candidates.ranking_score()
    order = np.argsort(-score, kind="stable")
    kept = order[choice.open[order]][: KEEP * batch]
    usable = finite_rows(features)
    mean = features[usable].mean(axis=0) if usable.any() else 0.0
    own = np.nan_to_num(features[kept], nan=0.0, posinf=0.0, neginf=0.0) - mean
    worst = ~usable[kept] | ~np.isfinite(score[kept])
    redundant = np.full(len(kept), -np.inf, dtype=np.float32)
    others = labelled[finite_rows(labelled)] - mean
    for start in range(0, len(others), REFERENCES_AT_ONCE):
        interrupt()
        block = redundancy(own, others[start : start + REFERENCES_AT_ONCE])
        np.maximum(redundant, block.max(axis=1), out=redundant)
    redundant[worst] = np.inf
    while len(choice.chosen) < batch:
        allowed = np.flatnonzero(choice.open[kept])
        if not len(allowed):
            break
        best = allowed[redundant[allowed].argmin()]
        choice.add(int(kept[best]))
        np.maximum(redundant, redundancy(own, own[best : best + 1])[:, 0], out=redundant)
    return take_in_order(choice, order.tolist(), batch)


def redundancy(rows: Features, others: Features) -> NDArray[np.float32]:
    """Return similarity plus mutual information of each row with each other, (n, m), in [-1, 4.2].

    A row without any variation has the similarity and information 0 with everything. Correlations count as
    at most 0.999, which keeps the information of two equal rows finite.
    """
    similarity = _unit(rows) @ _unit(others).T
    correlation = (
        _unit(rows - rows.mean(axis=1, keepdims=True)) @ _unit(others - others.mean(axis=1, keepdims=True)).T
    )
    squared = np.minimum(correlation**2, LARGEST_CORRELATION**2)
    return np.asarray(similarity - 0.5 * np.log1p(-squared), dtype=np.float32)


def _unit(rows: Features) -> Features:
    """Return the rows at length 1; rows of length 0 stay."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.where(length > 0, length, 1.0), dtype=np.float32)
