"""Facility location among the uncertain: filtered active submodular selection."""

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
def facility_location(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    keep: int = 10,
) -> list[int]:
    """Keep the 10 * batch highest scores, then choose those that best represent the kept ones.

    The sum over the kept ones of their largest similarity (cosine) to a labelled or chosen one is maximised
    greedily. O(N log N + (keep * B)^2 * d) time, O(N) memory. If the spacing closes too many, the next
    highest scores fill the batch. Use it for large batches of an uncertainty with many near-equals. Paper:
    Wei, Iyer and Bilmes, "Submodularity in data subset selection and active learning", ICML 2015.

    Raises
    ------
    NotReady
        There are no features.
    """
    features, labelled = candidates.needed_features("facility_location")
    choice = neighbours.start(candidates, interrupt)
    order = descending(candidates.ranking_score())
    kept = order[(choice.open & (candidates.ranking_score() > -np.inf))[order]][: keep * batch]
    rows = unit_rows(features[kept])
    known = unit_rows(labelled[finite_rows(labelled)])
    choose_representatives(choice, kept, rows, rows, known, batch, interrupt)
    return take_in_order(choice, order.tolist(), batch)
