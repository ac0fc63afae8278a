"""The product's own recipe: doubt, beside it large differences at first, and a tenth by chance later."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import Stratum, by_trust, take_by_shares
from longitudinal_al.interruption import Interrupt

BY_DIFFERENCE = 0.5
AUDIT = 0.1
ENOUGH = 64
"""Labelled slice pairs, from which on the model knows better than the difference, and on what nobody expects
some can be spent."""


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
    """Take the largest doubt, and in turns with it the largest differences or, later, a random audit tenth.

    Doubt is the entropy; pairs whose registration is in doubt come last. Until 64 slice pairs are labelled
    half of them are taken by the difference, as a model that has seen little doubts the wrong things where
    protocols differ. From then on a tenth is drawn at random, which finds changes that neither difference nor
    model sees; with few labels it costs more than it finds. The turns go by the number of labels, so each has
    its share however few are labelled of each ranking. The first batch, before there is a model, is that of
    ``difference``. What else was tried, and what each part is worth: see docs/benchmark.md. O(N log N) time,
    O(N) memory. Use it unless something speaks for another one.

    Parameters
    ----------
    differences
        The half by difference.
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
    strata = [Stratum(doubt, 1.0)]
    if differences and labelled < ENOUGH:
        size = np.where(score > -np.inf, candidates.needed("difference", "recipe"), -np.inf)
        strata = [Stratum(doubt, 1.0 - BY_DIFFERENCE), Stratum(by_trust(size, candidates), BY_DIFFERENCE)]
    elif audit and labelled >= ENOUGH:
        strata = [Stratum(doubt, 1.0 - AUDIT), Stratum(generator.permutation(len(candidates)), AUDIT)]
    choice = (neighbours if spacing else Neighbours()).start(candidates, interrupt)
    return take_by_shares(choice, strata, batch, taken_before=labelled)
