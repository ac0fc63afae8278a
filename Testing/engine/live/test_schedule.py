"""What comes next, from plain facts."""

from __future__ import annotations

import itertools

import pytest

from longitudinal_al.live.schedule import MOVES, Situation, Thought, choose


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(), Thought.IDLE),
        (Situation(ranking_missing=True, unlearned=True, learning=True), Thought.RANKING),
        (Situation(unlearned=True, has_model=False, ranking_open=True), Thought.LEARNING),
        (Situation(unlearned=True, ranking_open=True, ranked_seconds=3), Thought.RANKING),
        (Situation(unlearned=True, ranking_open=True, ranked_seconds=10), Thought.LEARNING),
        (Situation(unlearned=True, later=Thought.ROUND), Thought.LEARNING),
        (Situation(unlearned=True, later=Thought.ROUND, overdue=True), Thought.ROUND),
        (Situation(unlearned=True, later=Thought.ROUND, overdue=True, later_seconds=10), Thought.LEARNING),
        (Situation(ranking_open=True, ranked_seconds=99, later=Thought.ROUND), Thought.RANKING),
        (Situation(ranking_open=True, ranked_seconds=99, later=Thought.ROUND, overdue=True), Thought.ROUND),
        (Situation(later=Thought.CHECKING), Thought.CHECKING),
    ],
)
def test_what_comes_next(situation: Situation, expected: Thought) -> None:
    assert choose(situation) is expected


def test_nothing_starves_while_labels_keep_coming() -> None:
    spent = dict.fromkeys(Thought, 0.0)
    turns = dict.fromkeys(Thought, 0)
    learning = 0
    for _ in range(1000):
        thought = choose(
            Situation(
                unlearned=True,
                learning=learning > 0,
                ranking_open=True,
                ranked_seconds=spent[Thought.RANKING],
                later_seconds=spent[Thought.ROUND],
                later=Thought.ROUND,
                overdue=True,
            )
        )
        turns[thought] += 1
        spent[thought] += 1
        if thought is Thought.LEARNING:
            learning = (learning + 1) % 8
            if not learning:
                spent = dict.fromkeys(Thought, 0.0)
    assert min(turns[each] for each in (Thought.LEARNING, Thought.RANKING, Thought.ROUND)) > 200


def test_whatever_is_chosen_after_learning_is_a_legal_move() -> None:
    for missing, unlearned in itertools.product((True, False), repeat=2):
        # A new model always leaves something to publish.
        situation = Situation(ranking_missing=missing, unlearned=unlearned, ranking_open=True)
        assert choose(situation) in MOVES[Thought.LEARNING]
