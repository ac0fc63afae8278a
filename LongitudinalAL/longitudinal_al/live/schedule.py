"""What the live loop thinks about next: a choice from plain facts, without any clock or file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Thought(Enum):
    """What the live loop does."""

    IDLE = "idle"
    LEARNING = "learning"
    RANKING = "ranking"
    COMPARING = "comparing"
    ROUND = "round"
    CHECKING = "checking"


MOVES: dict[Thought, frozenset[Thought]] = {
    Thought.IDLE: frozenset(Thought),
    # What was learned is ranked with first; a round never comes between.
    Thought.LEARNING: frozenset({Thought.LEARNING, Thought.RANKING, Thought.IDLE}),
    Thought.RANKING: frozenset(Thought),
    Thought.COMPARING: frozenset(Thought),
    Thought.ROUND: frozenset(Thought),
    Thought.CHECKING: frozenset(Thought),
}
"""Thought -> what may follow it; an error or a cancellation leads back to IDLE."""


@dataclass(frozen=True)
class Situation:
    """What the choice depends on.

    Attributes
    ----------
    ranking_missing : bool
        No ranking is there that a front end could read.
    unlearned : bool
        Labels have come (or gone) that the model does not know.
    learning : bool
        A quick model is half trained.
    has_model : bool
        There is a model at all.
    ranking_open : bool
        The model has not looked at everything, or what it knows is not published.
    ranked_seconds, later_seconds : float
        Spent so far, since the newest model, on ranking with it and on what comes later.
    comparing : bool
        The strategy waits for the contrastive encoders.
    later : Thought or None
        A round, or the check of one, that could go on now.
    overdue : bool
        It has waited so long that it gets its turn although labels keep coming.
    turn_seconds : float
        Length of a turn.
    """

    ranking_missing: bool = False
    unlearned: bool = False
    learning: bool = False
    has_model: bool = True
    ranking_open: bool = False
    ranked_seconds: float = 0.0
    later_seconds: float = 0.0
    comparing: bool = False
    later: Thought | None = None
    overdue: bool = False
    turn_seconds: float = 10.0


def choose(now: Situation) -> Thought:
    """Return what to do next.

    The annotator's next slice pair comes first: a ranking, any ranking; then one by a model that knows the
    newest labels; then rounds and their checks. As labels may never stop coming, ranking and what is overdue
    have a turn each before the next quick model.
    """
    if now.ranking_missing:
        return Thought.RANKING
    if now.learning or (now.unlearned and not now.has_model):
        return Thought.LEARNING
    overdue = now.later is not None and now.overdue
    ranking_turn = now.ranking_open and now.ranked_seconds < now.turn_seconds
    later_turn = overdue and now.later_seconds < now.turn_seconds
    if now.unlearned and not ranking_turn and not later_turn:
        return Thought.LEARNING
    alternating = now.ranked_seconds < now.turn_seconds + now.later_seconds
    if now.ranking_open and (alternating or not overdue):
        return Thought.RANKING
    return Thought.COMPARING if now.comparing else now.later or Thought.IDLE
