"""Max-cover of the pool by uncertain slice pairs: suggestive annotation."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, finite_rows
from longitudinal_al.acquisition.coverage import choose_representatives
from longitudinal_al.acquisition.distances import unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import descending
from longitudinal_al.interruption import Interrupt


@canonical
def max_cover(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    keep: int = 10,
) -> list[int]:
    """Keep the 10 * batch highest scores, then choose those that best represent the whole unlabelled pool.

    As ``facility_location``, but everything unlabelled is to be covered, not only the uncertain: the maximum
    set cover of suggestive annotation, relaxed to similarities as there. O(N log N + keep * B * N * d) time,
    O(keep * B * N) memory, which is O(N) for a given batch. Use it when outliers are uncertain: they
    represent nobody. Paper: Yang, Zhang, Chen, Zhang and Chen, "Suggestive annotation", MICCAI 2017 (arXiv
    1706.04737).

    Raises
    ------
    NotReady
        There are no features.
    """
    features, labelled = candidates.needed_features("max_cover")
    choice = neighbours.start(candidates, interrupt)
    order = descending(candidates.ranking_score())
    kept = order[(choice.open & (candidates.ranking_score() > -np.inf))[order]][: keep * batch]
    rows, known = unit_rows(features), unit_rows(labelled[finite_rows(labelled)])
    choose_representatives(choice, kept, rows[kept], rows, known, batch, interrupt)
    return take_in_order(choice, order.tolist(), batch)
