"""The product's own recipe: doubt, beside it large differences at first, and a tenth by chance later."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import Stratum, by_trust, take_by_shares
from longitudinal_al.interruption import Interrupt

BY_DIFFERENCE = 0.5
SEEN_LITTLE = 16
"""Labelled slice pairs, below which a model that has learned them may doubt the wrong things."""
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
    differences: bool = True,
    audit: bool = True,
    spacing: bool = True,
) -> list[int]:
    """Take the largest doubt, in turns with the largest differences at first and with a random tenth later.

    Doubt is the entropy; pairs whose registration is in doubt come last. Until 16 slice pairs are labelled
    every second one is taken by the difference, as a model that has seen little doubts the wrong things where
    protocols differ. From 64 on a tenth is drawn at random, which finds changes that neither difference nor
    model sees; with few labels it costs more than it finds. The turns go by the number of labels, so each has
    its share however few are labelled of each ranking. The first batch, before there is a model, is that of
    ``difference``. What else was tried, and what each part is worth: see docs/benchmark.md. O(N log N) time,
    O(N) memory. Use it unless something speaks for another one.

    Parameters
    ----------
    differences
        Every second one by difference at first.
    audit
        The random tenth.
    spacing
        The distance that is asked for between slices of a pair (5 mm everywhere); off, it is not minded.

    Raises
    ------
    NotReady
        The differences are not known.
    """
    score = candidates.ranking_score()
    doubt, labelled = by_trust(score, candidates), len(candidates.labelled)
    choice = (neighbours if spacing else Neighbours()).start(candidates, interrupt)
    if differences and labelled < SEEN_LITTLE:
        size = np.where(score > -np.inf, candidates.needed("difference", "recipe"), -np.inf)
        both = [Stratum(doubt, 1.0 - BY_DIFFERENCE), Stratum(by_trust(size, candidates), BY_DIFFERENCE)]
        take_by_shares(choice, both, min(batch, SEEN_LITTLE - labelled), taken_before=labelled)
    strata = [Stratum(doubt, 1.0)]
    if audit and labelled >= ENOUGH:
        strata = [Stratum(doubt, 1.0 - AUDIT), Stratum(generator.permutation(len(candidates)), AUDIT)]
    return take_by_shares(choice, strata, batch, taken_before=labelled)
