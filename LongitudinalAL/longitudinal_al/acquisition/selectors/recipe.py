"""The product's own recipe: sure change at first, then doubt, and later a tenth by chance."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import Stratum, by_trust, take_by_shares
from longitudinal_al.interruption import Interrupt

SEEN_LITTLE = 16
"""Labelled slice pairs, below which a model that has learned them may doubt the wrong things."""
FEW_PATIENTS = 4
"""Patients in the pool, below which more of their clearest changes teach nothing about others."""
AUDIT = 0.1
ENOUGH = 64
"""Labelled slice pairs, from which on some are spent on what nobody expects."""


def wants_sure_change(labelled: int, patients: int) -> bool:
    """Tell whether what has surely changed comes before doubt."""
    return labelled < SEEN_LITTLE and patients >= FEW_PATIENTS


@canonical
def recipe(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    changes: bool = True,
    audit: bool = True,
    spacing: bool = True,
) -> list[int]:
    """Take what has most surely changed, then the largest doubt, and a random tenth later.

    Doubt is the entropy; pairs whose registration is in doubt come last. The first batch, before there is a
    model, is that of ``difference``. Where protocols differ all of it may be artefacts: a model that was
    shown no change doubts the wrong things, and still knows from its pretraining what a change looks like. So
    until 16 slice pairs are labelled those with the most predicted change for their doubt are taken (see
    ``scores.sure_change``), but where fewer than four patients are known: one that has learned the clearest
    changes of a single patient finds less in the next. From 64 on a tenth is drawn at random, which finds
    changes that no model sees; with few labels it costs more than it finds. Its turns go by the number of
    labels, so it has its share however few are labelled of each ranking. What else was tried, and what each
    part is worth: see docs/benchmark.md. O(N log N) time, O(N) memory. Use it unless something speaks for
    another one.

    Parameters
    ----------
    changes
        Sure change in the place of doubt at first.
    audit
        The random tenth.
    spacing
        The distance that is asked for between slices of a pair (5 mm everywhere); off, it is not minded.

    Raises
    ------
    NotReady
        Sure change is not known.
    """
    score = candidates.ranking_score()
    doubt, labelled = by_trust(score, candidates), len(candidates.labelled)
    choice = (neighbours if spacing else Neighbours()).start(candidates, interrupt)
    if changes and wants_sure_change(labelled, candidates.patients):
        change = np.where(score > -np.inf, candidates.needed("sure_change", "recipe"), -np.inf)
        most = [Stratum(by_trust(change, candidates), 1.0)]
        take_by_shares(choice, most, min(batch, SEEN_LITTLE - labelled))
    strata = [Stratum(doubt, 1.0)]
    if audit and labelled >= ENOUGH:
        strata = [Stratum(doubt, 1.0 - AUDIT), Stratum(generator.permutation(len(candidates)), AUDIT)]
    return take_by_shares(choice, strata, batch, taken_before=labelled)
