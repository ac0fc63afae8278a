"""Why no slice pair is handed out, in words for the annotator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class EndKind(str, Enum):
    """What stands in the way of the next slice pair; the first that is true, in this order."""

    NO_RANKING = "no ranking"
    USED_UP = "used up"
    SKIPPED = "skipped"
    LEFT_OUT = "left out"
    NEAR = "near"
    LABELLED = "labelled"


@dataclass(frozen=True)
class End:
    """Nothing is left, and why, in words for the annotator."""

    kind: EndKind
    reason: str


@dataclass(frozen=True)
class Rest:
    """What is left of a ranking when nothing more is handed out.

    Attributes
    ----------
    labelled : int
        Labelled slice pairs of the project.
    near : int
        Unlabelled ones that lie nearer than `spacing_mm` to a label.
    skipped : int
        Those that were skipped twice and are still open.
    left_out : mapping of str to str
        Pairs that cannot be shown, and why.
    batch : int
        Length of the ranking where it is only a batch, 0 where it holds the whole pool.
    """

    labelled: int
    near: int
    skipped: int
    left_out: Mapping[str, str]
    spacing_mm: float
    batch: int


def no_ranking() -> End:
    """Say that there is nothing to choose from yet."""
    return End(
        EndKind.NO_RANKING,
        "There is no ranking yet: it comes by itself once the pairs are prepared and the worker is running.",
    )


def end_of(rest: Rest) -> End:
    """Say why nothing is left."""
    parts = [f"{_slice_pairs(rest.labelled)} labelled"]
    if rest.near:
        lie = "lies" if rest.near == 1 else "lie"
        parts.append(
            f"{rest.near} {lie} nearer than {rest.spacing_mm:g} mm to a labelled slice of the same pair, "
            "which shows nearly the same"
        )
    if rest.skipped:
        parts.append(f"{rest.skipped} skipped twice")
    if rest.left_out:
        why = "; ".join(f"{pair}: {reason}" for pair, reason in rest.left_out.items())
        parts.append(f"some cannot be shown ({why})")
    return End(_kind(rest), f"Nothing is left to hand out: {', '.join(parts)}.{_advice(rest)}")


def _kind(rest: Rest) -> EndKind:
    found = {
        EndKind.USED_UP: rest.batch,
        EndKind.SKIPPED: rest.skipped,
        EndKind.LEFT_OUT: rest.left_out,
        EndKind.NEAR: rest.near,
    }
    return next((kind for kind, there in found.items() if there), EndKind.LABELLED)


def _advice(rest: Rest) -> str:
    if rest.batch:
        return f" This ranking was a batch of {rest.batch}: rank again, or start the worker, for more."
    if rest.skipped:
        return " Go back to the skipped ones, or leave them."
    return ""


def _slice_pairs(number: int) -> str:
    return f"{number} slice pair" + ("" if number == 1 else "s")
