"""One sentence a strategy: why it asks for a slice pair, as far as that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from longitudinal_al.acquisition.selectors.recipe import wants_sure_change
from longitudinal_al.acquisition.strategy import Value


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
    patients
        How many the pool has.
    nearest_mm
        To the nearest labelled slice pair of the same pair, or None.
    difference_place
        By size of the difference among all of this patient, 0 where there is none, or None if not known.
    change_place
        By the score for predicted change among the candidates, or None if there is no such score.
    sure_place
        By how surely it has changed among the candidates, or None if that is not known.
    seconds
        Predicted for labelling it, or None.
    time_model
        What predicted that.
    settings
        Of the strategy.
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
    patients: int = 1
    nearest_mm: float | None = None
    difference_place: int | None = None
    change_place: int | None = None
    sure_place: int | None = None
    seconds: float | None = None
    time_model: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)


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


def difference_in_words(place: int) -> str:
    """Return what to say of a difference by its place among its patient's, 0 where there is none."""
    if not place:
        return "hardly any difference"
    return f"the {'' if place == 1 else f'{ordinal(place)} '}largest difference of this patient"


def _different(facts: Facts) -> str:
    place = facts.difference_place
    return f"{'a large difference' if place is None else difference_in_words(place)} {_placed(facts)}"


def _expected(facts: Facts) -> str:
    """Return the places by all that a batch looks at: it is not said by which it was taken."""
    change = "" if facts.change_place is None else f"{ordinal(facts.change_place)} by expected change and "
    return f"{change}{_by_doubt(facts)}"


def _by_doubt(facts: Facts) -> str:
    return f"{ordinal(facts.place)} by doubt of {facts.pool} slice pairs"


def _doubtful(facts: Facts) -> str:
    """Return the place by what a batch looks at with so many labels."""
    is_for_change = facts.settings.get("changes") and wants_sure_change(facts.labelled, facts.patients)
    if is_for_change and facts.sure_place is not None:
        return f"{ordinal(facts.sure_place)} by how surely it has changed and {_by_doubt(facts)}"
    return _by_doubt(facts)


def _worth_the_time(facts: Facts) -> str:
    time = (
        ""
        if facts.seconds is None
        else f" for about {facts.seconds:.0f} s of work (times {facts.time_model})"
    )
    return f"the model is uncertain here, which is much{time} {_placed(facts)}"


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
    "vote_entropy": lambda facts: f"several models vote differently here {_placed(facts)}",
    "ensemble_variance": lambda facts: f"several models answer differently here {_placed(facts)}",
    "augmentation_variance": lambda facts: (
        f"the model changes its mind when the scans are flipped or shifted by a pixel {_placed(facts)}"
    ),
    "learning_loss": lambda facts: f"the model expects to be wrong here {_placed(facts)}",
    "selective_uncertainty": lambda facts: (
        f"the model is uncertain here where change is likely {_placed(facts)}"
    ),
    "attention_misalignment": lambda facts: (
        f"the model is uncertain here, or looks elsewhere than where change is {_placed(facts)}"
    ),
    "mdal_max": lambda facts: f"the two scans tell little about each other here {_placed(facts)}",
    "mdal_diverse": lambda facts: (
        f"the two scans tell little about each other here {_placed(facts)}, and it stands for a group of "
        "similar slice pairs"
    ),
    "typiclust": lambda facts: "typical of a group of similar slice pairs that has few labels or none",
    "probcover": lambda facts: "many slice pairs resemble this one, and few of them are covered by a label",
    "information_density": lambda facts: (
        f"the model is uncertain here {_placed(facts)}, and many slice pairs resemble this one"
    ),
    "badge": lambda facts: "the model would learn much from it, and something else than from the others",
    "stochastic_batches": lambda facts: f"one of the most uncertain of many random batches {_placed(facts)}",
    "power_bald": lambda facts: f"several models disagree here {_placed(facts)}, and chance had a part",
    "clasp_pe": lambda facts: f"{_expected(facts)}, and chance had a part",
    "representative_to_uncertain": lambda facts: (
        f"typical of a group of slice pairs, or the model is uncertain here {_placed(facts)}"
    ),
    "facility_location": lambda facts: (
        f"the model is uncertain here {_placed(facts)}, and it stands for others of that kind"
    ),
    "max_cover": lambda facts: (
        f"the model is uncertain here {_placed(facts)}, and it stands for others of the pool"
    ),
    "foreground_random": lambda facts: (
        "drawn at random by someone who knows where change is: for simulations"
    ),
    "score_per_second": _worth_the_time,
    "recipe": _doubtful,
    "kcenter": _unlike,
    "cluster_margin": lambda facts: (
        f"the model can hardly decide here {_placed(facts)}, and it stands for a group of similar slice pairs"
    ),
    "hybrid": lambda facts: (
        f"the model is uncertain here {_placed(facts)}, and it repeats little of what was asked"
    ),
}
WITHOUT_SCORE = frozenset(
    {"random", "strided", "kcenter", "typiclust", "probcover", "badge", "foreground_random"}
)
"""Strategies whose sentence says nothing of a score."""
