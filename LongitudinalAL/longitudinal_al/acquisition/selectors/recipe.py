"""The product's own recipe: doubt, and later a tenth by chance."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import Stratum, by_trust, take_by_shares
from longitudinal_al.interruption import Interrupt

AUDIT = 0.1
ENOUGH = 64
"""Labelled slice pairs, from which on some are spent on what nobody expects."""


@canonical
def recipe(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    audit: bool = True,
    spacing: bool = True,
) -> list[int]:
    """Take the largest doubt, and a random audit tenth once 64 slice pairs are labelled, in turns.

    Doubt is the entropy; pairs whose registration is in doubt come last. The audit is what finds changes that
    neither the difference nor the model sees; with few labels it costs more than it finds. Its turns go by
    the number of labels, so that it has its tenth however few are labelled of each ranking. The first batch,
    before there is a model, is that of ``difference``. What else was tried, and what each part is worth: see
    docs/benchmark.md. O(N log N) time, O(N) memory. Use it unless something speaks for another one.

    Parameters
    ----------
    audit
        The random tenth.
    spacing
        The distance that is asked for between slices of a pair (5 mm everywhere); off, it is not minded.
    """
    strata = [Stratum(by_trust(candidates.ranking_score(), candidates), 1.0 - AUDIT)]
    if audit and len(candidates.labelled) >= ENOUGH:
        strata.append(Stratum(generator.permutation(len(candidates)), AUDIT))
    choice = (neighbours if spacing else Neighbours()).start(candidates, interrupt)
    return take_by_shares(choice, strata, batch, taken_before=len(candidates.labelled))
