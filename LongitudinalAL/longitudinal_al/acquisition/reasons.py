"""Why a slice pair is asked for, in a sentence that a clinician understands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Floats
from longitudinal_al.acquisition.selectors.strided import stride_of
from longitudinal_al.errors import UnknownName


@dataclass(frozen=True)
class Facts:
    """What is known about one chosen slice pair; the sentence says nothing beyond it.

    Parameters
    ----------
    pool
        Number of candidates.
    place
        By score among the candidates, 1 is the highest; equals share a place.
    equals
        How many candidates have this score, itself included.
    usable
        Whether there is a score at all.
    patient_place
        By score among the candidates of this patient.
    turn
        Place in the batch, 1 is asked for first.
    stride
        k in "every k-th slice pair".
    labelled, patient_labelled
        Slice pairs labelled so far, in all and of this patient.
    nearest_mm
        To the nearest labelled slice pair of the same pair, or None.
    difference_place
        By size of the difference among the candidates of this patient, or None if not known or no difference.
    """

    pool: int
    place: int = 1
    equals: int = 1
    usable: bool = True
    patient_place: int = 1
    turn: int = 1
    stride: int = 1
    labelled: int = 0
    patient_labelled: int = 0
    nearest_mm: float | None = None
    difference_place: int | None = None


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '112th']
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _placed(facts: Facts) -> str:
    """Return the place by score in brackets."""
    joint = "joint " if facts.equals > 1 else ""
    return f"({joint}{ordinal(facts.place)} of {facts.pool} slice pairs)"


def _unlike(facts: Facts) -> str:
    if facts.labelled:
        return "unlike every slice pair labelled so far"
    return (
        "the most typical slice pair, to begin with"
        if facts.turn == 1
        else "unlike the ones asked for before it"
    )


def _strided(facts: Facts) -> str:
    return (
        "every slice pair of the pool"
        if facts.stride < 2
        else f"every {ordinal(facts.stride)} slice pair of the pool"
    )


def _different(facts: Facts) -> str:
    if facts.patient_place == 1:
        return f"the largest difference of this patient {_placed(facts)}"
    return f"the {ordinal(facts.patient_place)} largest difference of this patient {_placed(facts)}"


REASONS: dict[str, Callable[[Facts], str]] = {
    "random": lambda facts: f"drawn at random from {facts.pool} slice pairs",
    "strided": _strided,
    "difference": _different,
    "entropy": lambda facts: f"the model is uncertain here {_placed(facts)}",
    "difference_entropy": lambda facts: f"the model is uncertain where the two scans differ {_placed(facts)}",
    "least_confidence": lambda facts: f"the model is least confident here {_placed(facts)}",
    "margin": lambda facts: f"the model can hardly decide between change and no change {_placed(facts)}",
    "dropout_entropy": lambda facts: f"the model is uncertain here when asked several times {_placed(facts)}",
    "bald": lambda facts: f"several models disagree here {_placed(facts)}",
    "kcenter": _unlike,
    "cluster_margin": lambda facts: (
        f"the model can hardly decide here {_placed(facts)}, and it stands for a group of similar slice pairs"
    ),
    "hybrid": lambda facts: (
        f"the model is uncertain here {_placed(facts)}, and it repeats little of what was asked"
    ),
}
_WITHOUT_SCORE = ("random", "strided", "kcenter")


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
    if not facts.usable and strategy not in _WITHOUT_SCORE:
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
    strategy: str, candidates: Candidates, chosen: Sequence[int], difference: Floats | None = None
) -> list[str]:
    """Return the reason of each chosen candidate, in the order of the batch.

    Parameters
    ----------
    strategy
        Its name.
    candidates
        What was chosen from.
    chosen
        The selector's answer.
    difference
        Size of the difference of each candidate, (n,), if it is known.
    """
    return [reason(strategy, facts) for facts in gather(candidates, chosen, difference)]


def gather(candidates: Candidates, chosen: Sequence[int], difference: Floats | None = None) -> list[Facts]:
    """Return the facts about each chosen candidate; parameters as for ``reasons``."""
    score = candidates.ranking_score()
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
            patient_labelled=int(np.count_nonzero(candidates.labelled.patient == candidates.patient[index])),
            nearest_mm=_nearest_mm(candidates, index),
            difference_place=_difference_place(candidates, index, difference),
        )
        for turn, index in enumerate(chosen, start=1)
    ]


def _place(values: Floats, among: NDArray[np.bool_], index: int) -> int:
    """Return the place of one value among some, 1 is the highest."""
    return 1 + int(np.count_nonzero(values[among] > values[index]))


def _nearest_mm(candidates: Candidates, index: int) -> float | None:
    positions = candidates.labelled.position_mm[candidates.labelled.pair == candidates.pair[index]]
    return float(np.abs(positions - candidates.position_mm[index]).min()) if len(positions) else None


def _difference_place(candidates: Candidates, index: int, difference: Floats | None) -> int | None:
    if difference is None or not difference[index] > 0:
        return None
    return _place(difference, candidates.patient == candidates.patient[index], index)
