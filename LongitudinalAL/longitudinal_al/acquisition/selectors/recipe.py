"""The product's own recipe: sure change at first, then doubt."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import by_trust
from longitudinal_al.interruption import Interrupt

SEEN_LITTLE = 16
"""Labelled slice pairs, below which a model that has learned them may doubt the wrong things."""
FEW_PATIENTS = 4
"""Patients in the pool, below which more of their clearest changes teach nothing about others."""


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
    spacing: bool = True,
) -> list[int]:
    """Take what has most surely changed, then the largest doubt. Draws nothing.

    Doubt is the entropy; pairs whose registration is in doubt come last. The first batch, before there is a
    model, is that of ``difference``. Where protocols differ all of it may be artefacts: a model that was
    shown no change doubts the wrong things, and still knows from its pretraining what a change looks like. So
    until 16 slice pairs are labelled those with the most predicted change for their doubt are taken (see
    ``scores.sure_change``), but where fewer than four patients are known: one that has learned the clearest
    changes of a single patient finds less in the next. What else was tried, and what each part is worth:
    see docs/benchmark.md. O(N log N) time, O(N) memory. Use it unless something speaks for another one.

    Parameters
    ----------
    changes
        Sure change in the place of doubt at first.
    spacing
        The distance that is asked for between slices of a pair (5 mm everywhere); off, it is not minded.

    Raises
    ------
    NotReady
        Sure change is not known.
    """
    score = candidates.ranking_score()
    labelled = len(candidates.labelled)
    choice = (neighbours if spacing else Neighbours()).start(candidates, interrupt)
    if changes and wants_sure_change(labelled, candidates.patients):
        change = np.where(score > -np.inf, candidates.needed("sure_change", "recipe"), -np.inf)
        surest = by_trust(change, candidates).tolist()
        take_in_order(choice, surest, min(batch, SEEN_LITTLE - labelled))
    return take_in_order(choice, by_trust(score, candidates).tolist(), batch)
