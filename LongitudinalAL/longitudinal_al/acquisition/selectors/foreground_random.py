"""Foreground-aware random: chance that knows where the change is. A reference arm, in simulations only."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import Stratum, take_by_shares
from longitudinal_al.interruption import Interrupt


@canonical
def foreground_random(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    share: float = 2 / 3,
) -> list[int]:
    """Draw two thirds of the batch at random from the slice pairs with change, the rest from all; O(N).

    The score is the number of changed pixels in the reference, so this reads what is to be found out: it says
    how good an informed guess could be. Use it as a reference arm in simulations; it runs nowhere else. No
    published strategy reliably beats it in 3-D (nnActive: Lüth et al., "nnActive: a framework for evaluation
    of active learning in 3D biomedical segmentation", TMLR 2025).
    """
    order = generator.permutation(len(candidates))
    with_change = order[(candidates.ranking_score() > 0)[order]]
    strata = [Stratum(with_change, share), Stratum(order, max(1.0 - share, 1e-9))]
    return take_by_shares(neighbours.start(candidates, interrupt), strata, batch)
