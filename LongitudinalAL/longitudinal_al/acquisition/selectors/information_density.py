"""Information density: uncertain, and like many others."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Features, Floats, finite_rows
from longitudinal_al.acquisition.distances import unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import descending
from longitudinal_al.interruption import Interrupt


@canonical
def information_density(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    beta: float = 1.0,
) -> list[int]:
    """Return the highest of score * density^beta; O(N * d) time and memory. Draws nothing.

    The density is the mean similarity to all candidates, (1 + cosine) / 2, and so in [0, 1]. As a mean of
    cosines is one product with the mean direction, no pair of candidates is ever compared. Use it against
    outliers: slices that are uncertain because they are broken. Paper: Settles and Craven, "An analysis of
    active learning strategies for sequence labeling tasks", EMNLP 2008.

    Raises
    ------
    NotReady
        There are no features.
    """
    features = candidates.own_features("information_density")
    score = candidates.ranking_score()
    scored = score > -np.inf
    weighed = np.where(scored, np.where(scored, score, 0.0) * density(features) ** beta, -np.inf)
    return take_in_order(neighbours.start(candidates, interrupt), descending(weighed).tolist(), batch)


def density(features: Features) -> Floats:
    """Return the mean similarity of each row to all rows, (n,) in [0, 1]; 0 for rows that are not finite."""
    finite = finite_rows(features)
    if not finite.any():
        return np.zeros(len(features))
    rows = unit_rows(features)
    similar = (rows @ rows[finite].mean(axis=0) + 1.0) / 2.0
    return np.where(finite, np.clip(similar, 0.0, 1.0), 0.0).astype(np.float64)
