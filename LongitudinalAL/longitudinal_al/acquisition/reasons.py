"""Why a slice pair is asked for, in a sentence that a clinician understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Floats, Integers
from longitudinal_al.acquisition.selectors.strided import stride_of
from longitudinal_al.acquisition.sentences import REASONS as REASONS
from longitudinal_al.acquisition.sentences import WITHOUT_SCORE, Facts
from longitudinal_al.acquisition.sentences import ordinal as ordinal
from longitudinal_al.acquisition.strategy import Strategy
from longitudinal_al.errors import UnknownName


def reason(strategy: str, facts: Facts) -> str:
    """Return one sentence: why this slice pair, and what else is worth knowing about it.

    Parameters
    ----------
    strategy
        Its name.
    facts
        About the slice pair.

    Raises
    ------
    UnknownName
        No sentence is known for the strategy.
    """
    if strategy not in REASONS:
        raise UnknownName("strategy", strategy, REASONS)
    if not facts.usable and strategy not in WITHOUT_SCORE:
        first = "there is no usable score here, and nothing better is left"
    else:
        first = REASONS[strategy](facts)
    sentence = "; ".join([first, *_context(strategy, facts)])
    return f"{sentence[0].upper()}{sentence[1:]}."


def _context(strategy: str, facts: Facts) -> list[str]:
    """Return what else is worth knowing, the most important first."""
    context = []
    if facts.difference_place == 1 and strategy != "difference":
        context.append("the largest difference of this patient")
    if facts.patient_labelled == 0 and facts.labelled:
        context.append("nothing of this patient is labelled yet")
    if facts.nearest_mm is not None:
        context.append(f"{facts.nearest_mm:.0f} mm from the nearest labelled slice")
    return context


def reasons(
    strategy: Strategy,
    candidates: Candidates,
    chosen: Sequence[int],
    difference_places: Integers | None = None,
) -> list[str]:
    """Return the reason of each chosen candidate, in the order of the batch.

    Parameters
    ----------
    strategy
        With its settings.
    candidates
        What was chosen from.
    chosen
        The selector's answer.
    difference_places
        See `gather`.
    """
    facts = gather(candidates, chosen, difference_places)
    return [reason(strategy.name, replace(one, settings=strategy.settings)) for one in facts]


def gather(
    candidates: Candidates, chosen: Sequence[int], difference_places: Integers | None = None
) -> list[Facts]:
    """Return the facts about each chosen candidate.

    Parameters
    ----------
    difference_places
        Place of each candidate's difference among all of its patient's, (n,), 0 where there is none; None
        where that is not known.
    """
    score, change, seconds = candidates.ranking_score(), candidates.change_score, candidates.seconds
    sure = candidates.sure_change
    everyone, patients = np.ones(len(score), dtype=bool), candidates.patients
    ascending = np.sort(score)
    return [
        Facts(
            pool=len(candidates),
            place=1 + len(score) - int(np.searchsorted(ascending, score[index], side="right")),
            equals=int(np.count_nonzero(score == score[index])),
            usable=bool(np.isfinite(score[index])),
            patient_place=_place(score, candidates.patient == candidates.patient[index], index),
            turn=turn,
            stride=round(stride_of(len(candidates), len(chosen))),
            labelled=len(candidates.labelled),
            patients=patients,
            patient_labelled=int(np.count_nonzero(candidates.labelled.patient == candidates.patient[index])),
            nearest_mm=_nearest_mm(candidates, index),
            difference_place=None if difference_places is None else int(difference_places[index]),
            change_place=None if change is None else _place(change, everyone, index),
            sure_place=None if sure is None else _place(sure, everyone, index),
            seconds=None if seconds is None or not np.isfinite(seconds[index]) else float(seconds[index]),
            time_model=candidates.time_model,
        )
        for turn, index in enumerate(chosen, start=1)
    ]


def _place(values: Floats, among: NDArray[np.bool_], index: int) -> int:
    """Return the place of one value among some, 1 is the highest."""
    return 1 + int(np.count_nonzero(values[among] > values[index]))


def _nearest_mm(candidates: Candidates, index: int) -> float | None:
    positions = candidates.labelled.position_mm[candidates.labelled.pair == candidates.pair[index]]
    return float(np.abs(positions - candidates.position_mm[index]).min()) if len(positions) else None
