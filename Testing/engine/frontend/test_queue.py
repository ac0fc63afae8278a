"""The labelling queue: what comes next, and what is said when nothing does."""

from __future__ import annotations

import pytest

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.ending import End, EndKind
from longitudinal_al.frontend.queue import LabellingQueue
from longitudinal_al.frontend.ranking import Entry, Ranking


def ranking(*keys: tuple[str, int], spacing: float = 5.0, complete: bool = True) -> Ranking:
    entries = tuple(Entry(*key, strategy="entropy", score=1.0) for key in keys)
    return Ranking(entries, "entropy", spacing, {"a": 2.0, "b": 2.0}, complete=complete)


def queue_of(*keys: tuple[str, int], **other: object) -> LabellingQueue:
    queue = LabellingQueue()
    queue.take_ranking(ranking(*keys, **other))
    return queue


def handed_out(queue: LabellingQueue) -> list[tuple[str, int]]:
    """Label everything and return it in the order in which it came."""
    keys = []
    while isinstance(entry := queue.next(), Entry):
        keys.append(entry.key)
        queue.labelled(*entry.key)
    return keys


def test_the_best_comes_first_and_near_duplicates_never() -> None:
    queue = queue_of(("a", 10), ("a", 12), ("b", 3), ("a", 13), ("a", 8))
    assert handed_out(queue) == [("a", 10), ("b", 3), ("a", 13)]
    end = queue.next()
    assert end.kind is EndKind.NEAR
    assert end.reason == (
        "Nothing is left to hand out: 3 slice pairs labelled, 2 lie nearer than 5 mm to a labelled slice of "
        "the same pair, which shows nearly the same."
    )


def test_exactly_the_spacing_is_far_enough() -> None:
    assert handed_out(queue_of(("a", 0), ("a", 2), ("a", 3), spacing=4.0)) == [("a", 0), ("a", 2)]
    assert handed_out(queue_of(("a", 0), ("a", 1), spacing=0.0)) == [("a", 0), ("a", 1)]


def test_what_is_in_hand_stays_through_next_and_a_new_ranking() -> None:
    queue = queue_of(("a", 0), ("b", 0))
    first = queue.next()
    queue.take_ranking(ranking(("b", 9), ("b", 20)))
    assert queue.next() is first is queue.in_hand
    queue.labelled("a", 0)
    assert queue.next().key == ("b", 9)


def test_labels_of_others_are_passed_over() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("b", 1), ("a", 9))
    assert queue.next().key == ("a", 0)
    assert queue.next({("a", 0), ("b", 2)}).key == ("a", 9)
    queue.labelled("a", 9)
    assert queue.next({("a", 0), ("a", 9)}).key == ("b", 0), "their neighbour was withdrawn"


def test_a_slice_pair_that_another_labelled_is_let_go() -> None:
    queue = queue_of(("a", 0), ("b", 0))
    queue.next()
    assert queue.next({("a", 0)}).key == ("b", 0)


def test_skipped_ones_come_once_more_at_the_end_and_then_are_named() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("a", 9))
    queue.next()
    queue.skip()
    queue.take_ranking(ranking(("a", 0), ("b", 0), ("a", 9)))
    assert handed_out(queue) == [("b", 0), ("a", 9), ("a", 0)]
    queue = queue_of(("a", 0))
    for _ in range(2):
        assert queue.next().key == ("a", 0)
        queue.skip()
    end = queue.next()
    assert end.kind is EndKind.SKIPPED
    assert "1 skipped twice" in end.reason
    assert queue.back().key == ("a", 0), "going back to one that was skipped twice"


def test_back_leads_through_all_and_next_returns_to_where_one_was() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("a", 9))
    with pytest.raises(NotReady, match="first one"):
        queue.back()
    for _ in range(2):
        queue.labelled(*queue.next().key)
    assert queue.next().key == ("a", 9)
    assert [queue.back().key, queue.back().key] == [("b", 0), ("a", 0)]
    assert not queue.can_go_back
    assert queue.next().key == ("a", 9), "the labelled ones on the way are passed over"
    assert queue.back().key == ("b", 0), "and are still there to go back to"


def test_a_withdrawn_one_stays_in_hand_or_comes_again() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("b", 9))
    queue.labelled(*queue.next().key)
    queue.labelled(*queue.next().key)
    queue.withdrawn("b", 0)
    assert queue.next().key == ("b", 0)
    queue.labelled("b", 0)
    assert queue.next().key == ("b", 9)
    queue.withdrawn("a", 0)
    queue.take_ranking(ranking(("b", 9)))
    queue.labelled("b", 9)
    assert queue.next().key == ("a", 0), "though the newest ranking does not know yet"


def test_one_that_was_skipped_labelled_and_withdrawn_is_like_any_other() -> None:
    queue = queue_of(("a", 0))
    queue.next()
    queue.skip()
    queue.labelled(*queue.next().key)
    assert queue.next().kind is EndKind.LABELLED
    queue.withdrawn("a", 0)
    assert queue.next().key == ("a", 0)


def test_a_free_choice_does_not_lose_what_was_in_hand() -> None:
    queue = queue_of(("a", 0))
    queue.next()
    queue.open(Entry("b", 7))
    assert queue.next() == Entry("b", 7)
    queue.labelled("b", 7)
    assert queue.next().key == ("a", 0)


def test_a_pair_that_cannot_be_shown_is_passed_over_and_named() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("a", 9))
    queue.next()
    queue.leave_out("a", "its followup.nii.gz is missing")
    assert handed_out(queue) == [("b", 0)]
    end = queue.next()
    assert end.kind is EndKind.LEFT_OUT
    assert "a: its followup.nii.gz is missing" in end.reason
    queue.take_ranking(ranking(("a", 0)))
    assert queue.next().key == ("a", 0)


def test_every_end_says_why() -> None:
    assert LabellingQueue().next().kind is EndKind.NO_RANKING
    assert queue_of().next().kind is EndKind.NO_RANKING
    queue = queue_of(("a", 0), complete=False)
    queue.labelled("a", 0)
    assert queue.next() == End(
        EndKind.USED_UP,
        "Nothing is left to hand out: 1 slice pair labelled. This ranking was a batch of 1: rank again, or "
        "start the worker, for more.",
    )
    queue = queue_of(("a", 0))
    queue.labelled("a", 0)
    assert queue.next().kind is EndKind.LABELLED


def test_skipping_needs_something_in_hand() -> None:
    with pytest.raises(NotReady, match="in hand"):
        LabellingQueue().skip()


def test_what_is_coming_is_told_and_nothing_changes() -> None:
    queue = queue_of(("a", 0), ("b", 0), ("a", 20), ("b", 20), ("b", 40))
    queue.next()
    queue.skip()
    queue.next()
    queue.labelled("b", 40)
    queue.back()
    assert [each.key for each in queue.coming(5)] == [("b", 0), ("a", 20), ("b", 20)]
    assert [each.key for each in queue.coming(1)] == [("b", 0)]
    queue.skip()
    assert [queue.next().key, *handed_out(queue)][1:] == [("b", 0), ("a", 20), ("b", 20), ("a", 0)]
