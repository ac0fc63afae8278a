"""MaxMD: the largest modality difference."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import by_trust
from longitudinal_al.interruption import Interrupt


@canonical
def mdal_max(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return the slice pairs with the largest modality difference; O(N log N). Draws nothing.

    The difference is that of two encoders trained by contrast, without any label: how little baseline and
    follow-up of a slice tell about each other, MD = -PMI. It is high for change, but for a bad registration
    as well, so pairs whose registration check failed come last. Use it for the first batch, before any label.
    Paper: "MDAL: modality-difference-based active learning", Computerized Medical Imaging and Graphics 123
    (2025) 102544; its full text could not be had, so the formula is a reconstruction from the abstract and
    the literature on contrastive mutual information. Only the ranking means something.
    """
    order = by_trust(candidates.ranking_score(), candidates)
    return take_in_order(neighbours.start(candidates, interrupt), order.tolist(), batch)
