"""An annotator's session on a real project file, and what others do to the project meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from longitudinal_al.errors import GeometryMismatch, InvalidInput, NotReady, StorageFailed
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ending import End, EndKind
from longitudinal_al.frontend.hints import HINT_SECONDS
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.records import Label, Verdict, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb

Publish = Callable[..., None]
MASK = np.zeros((6, 8), np.uint8)
MASK[2:4, 3:7] = 1


class ListeningWorker:
    """A worker's client that writes down what it is asked, and says what it is given."""

    def __init__(self) -> None:
        self.state = WorkerState.READY
        self.asked: list[tuple[Verb, dict[str, Any]]] = []
        self.says: list[Event] = []

    def request(self, verb: Verb, **arguments: Any) -> str:
        self.asked.append((verb, arguments))
        return str(len(self.asked))

    def poll(self) -> list[Event]:
        said, self.says = self.says, []
        return said


@pytest.fixture
def session(project: Project, publish: Publish, clock: Any) -> AnnotationSession:
    """Return a session without a worker, and a ranking of three slice pairs."""
    publish(project.folder, ("a", 3), ("b", 4), ("a", 9))
    return AnnotationSession(project, None, "Zoë", clock=clock)


def test_a_label_says_who_when_how_long_and_what_asked(
    project: Project, session: AnnotationSession, clock: Any
) -> None:
    entry = session.next()
    assert (entry.pair, entry.slice, entry.patient, entry.reason) == ("a", 3, "patient a", "why")
    for seconds in (15, 600, 15):
        clock.now += seconds
        session.touch()
    session.save(MASK, suggestion_shown=True)
    label = project.label("a", 3)
    assert np.array_equal(label.mask, MASK)
    assert (label.annotator, label.strategy, label.score) == ("Zoë", "entropy", 1.0)
    assert label.suggestion_shown
    assert label.ended - label.started == timedelta(seconds=30)
    assert abs(utc_now() - label.ended) < timedelta(seconds=60)
    assert session.next().key == ("b", 4)


def test_the_time_of_each_begins_when_it_is_handed_out(session: AnnotationSession, clock: Any) -> None:
    session.next()
    clock.now += 40
    session.no_change()
    session.next()
    clock.now += 7
    label = session.no_change()
    assert not label.mask.any()
    assert label.ended - label.started == timedelta(seconds=7)


def test_the_end_comes_with_its_reason(session: AnnotationSession) -> None:
    while not isinstance(entry := session.next(), End):
        session.save(MASK > 0)
    assert entry.kind is EndKind.LABELLED
    assert entry.reason == "Nothing is left to hand out: 3 slice pairs labelled."


def test_without_a_ranking_it_says_so_and_finds_it_later(
    project: Project, publish: Publish, clock: Any
) -> None:
    session = AnnotationSession(project, None, "x", clock=clock)
    assert session.next().kind is EndKind.NO_RANKING
    publish(project.folder, ("a", 3))
    assert session.next().kind is EndKind.NO_RANKING, "the file is not looked at all the time"
    clock.now += 1
    assert session.poll() == []
    assert session.next().key == ("a", 3)


def test_a_new_ranking_is_taken_at_once_when_the_worker_says_so(
    project: Project, publish: Publish, clock: Any
) -> None:
    worker = ListeningWorker()
    publish(project.folder, ("a", 3))
    session = AnnotationSession(project, worker, "x", clock=clock)
    first = session.next()
    publish(project.folder, ("b", 4), ("b", 8), strategy="margin")
    worker.says = [Event(EventKind.RANKING, None, {})]
    assert [event.kind for event in session.poll()] == [EventKind.RANKING]
    assert session.next() is first, "what is in hand stays"
    assert session.no_change().strategy == "entropy"
    session.next()
    assert session.no_change().strategy == "margin"


def test_labels_of_others_are_seen_with_the_next(project: Project, session: AnnotationSession) -> None:
    session.next()
    with Project.open(project.folder) as other:
        for key in (("a", 3), ("b", 5)):
            other.save_label(Label(*key, MASK, "Bert", utc_now(), utc_now()))
    assert session.next().key == ("a", 9), "b 4 is near to b 5"
    with Project.open(project.folder) as other:
        other.withdraw_label("b", 5)
    session.no_change()
    assert session.next().key == ("b", 4)


def test_going_back_relabelling_and_withdrawing(project: Project, session: AnnotationSession) -> None:
    session.next()
    session.save(MASK)
    assert session.next().key == ("b", 4)
    assert session.back().key == ("a", 3)
    assert np.array_equal(session.saved_label().mask, MASK)
    session.no_change()
    assert [version.label.mask.sum() for version in project.label_history("a", 3)] == [MASK.sum(), 0]
    session.withdraw()
    assert session.saved_label() is None
    assert project.labelled() == set()
    with pytest.raises(InvalidInput, match="no label to withdraw"):
        session.withdraw()
    assert session.next().key == ("a", 3)
    session.skip()
    assert session.next().key == ("b", 4)


def test_a_new_session_can_go_back_to_labels_of_the_last(
    project: Project, session: AnnotationSession
) -> None:
    for _ in range(2):
        session.next()
        session.save(MASK)
    again = AnnotationSession(project, None, "Zoë")
    assert again.next().key == ("a", 9)
    entry = again.back()
    assert (entry.key, entry.patient, entry.strategy) == (("b", 4), "patient b", "entropy")
    assert again.no_change().score == entry.score == 0.99
    assert again.back().key == ("a", 3)


def test_a_free_choice_was_asked_for_by_nobody(project: Project, session: AnnotationSession) -> None:
    first = session.next()
    assert session.open("B", 11).key == ("b", 11)
    label = session.no_change()
    assert (label.strategy, label.score) == (None, None)
    assert session.next() is first
    with pytest.raises(InvalidInput, match="no pair 'c'"):
        session.open("c", 1)
    with pytest.raises(InvalidInput, match="negative"):
        session.open("a", -1)
    assert session.in_hand is first


def test_a_mask_of_another_grid_is_refused_and_nothing_is_saved(
    project: Project, session: AnnotationSession
) -> None:
    session.next()
    with pytest.raises(GeometryMismatch, match=r"\(8, 6\) pixels, a slice of pair 'a' \(6, 8\)"):
        session.save(MASK.T)
    assert project.labelled() == set()
    assert session.next().key == ("a", 3)


def test_a_label_that_could_not_be_saved_stays_in_hand(
    project: Project, session: AnnotationSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = session.next()

    def full(label: Label) -> None:
        raise StorageFailed("the disk is full")

    monkeypatch.setattr(project, "save_label", full)
    with pytest.raises(StorageFailed):
        session.save(MASK)
    monkeypatch.undo()
    assert session.next() is entry
    session.save(MASK)
    assert project.labelled() == {("a", 3)}


def test_a_pair_whose_files_are_gone_blocks_nobody(project: Project, session: AnnotationSession) -> None:
    shutil.rmtree(project.pair_folder("a"))
    assert session.next().key == ("b", 4)
    session.no_change()
    end = session.next()
    assert end.kind is EndKind.LEFT_OUT
    assert "'a' is not prepared" in end.reason


def test_a_pair_that_was_set_aside_is_not_asked_for_any_more(
    project: Project, session: AnnotationSession
) -> None:
    session.next()
    project.overrule("a", Verdict.FAILED, "Bert")
    assert session.next().key == ("b", 4)
    session.no_change()
    end = session.next()
    assert end.kind is EndKind.LEFT_OUT
    assert "a: set aside by Bert" in end.reason


def test_a_ranking_of_another_project_does_no_harm(project: Project, publish: Publish) -> None:
    publish(project.folder, ("stranger", 3), ("b", 4), ("../b", 2))
    session = AnnotationSession(project, None, "x")
    assert session.next().key == ("b", 4)


def test_the_worker_hears_that_someone_labels_but_not_too_often(
    project: Project, publish: Publish, clock: Any
) -> None:
    worker = ListeningWorker()
    publish(project.folder, ("a", 3), ("b", 4))
    session = AnnotationSession(project, worker, "x", clock=clock)
    session.next()
    for _ in range(50):
        session.touch()
    assert worker.asked == [(Verb.STATUS, {"labelling": True})]
    clock.now += HINT_SECONDS
    session.touch()
    session.no_change()
    assert len(worker.asked) == 3
    worker.says = [Event(EventKind.DONE, str(number), {}) for number in range(1, 5)]
    assert [event.id for event in session.poll()] == ["4"], "its own questions are its own"
    worker.says = [Event(EventKind.DONE, "1", {})]
    assert len(session.poll()) == 1, "and are forgotten when they are answered"


def test_what_the_worker_said_is_not_lost_when_the_project_cannot_be_read(
    project: Project, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = ListeningWorker()
    session = AnnotationSession(project, worker, "x")

    def gone() -> int:
        raise StorageFailed("the folder is gone")

    monkeypatch.setattr(project, "last_label_number", gone)
    worker.says = [Event(EventKind.DONE, "7", {})]
    assert [event.id for event in session.poll()] == ["7"]
    with pytest.raises(StorageFailed):
        session.poll()
    monkeypatch.undo()
    assert session.poll() == []


def test_a_drawing_is_saved_though_the_pair_s_files_are_gone_meanwhile(
    project: Project, session: AnnotationSession
) -> None:
    session.next()
    shutil.rmtree(project.pair_folder("a"))
    session.save(MASK)
    assert project.labelled() == {("a", 3)}
    with pytest.raises(NotReady, match="'a' is not prepared"):
        session.open("a", 9)


def test_a_project_that_is_gone_is_named_and_nothing_is_left_out_for_it(
    project: Project, session: AnnotationSession
) -> None:
    held = session.next()
    away = project.folder.with_name("away")
    try:
        project.folder.rename(away)
    except PermissionError:
        pytest.skip("this system does not let go of open files")
    for act in (session.next, session.no_change, lambda: session.open("a", 9)):
        with pytest.raises(StorageFailed, match="is gone"):
            act()
    away.rename(project.folder)
    assert session.next() is held
    session.save(MASK)
    assert project.labelled() == {("a", 3)}


def test_another_worker_and_another_name_change_nothing_of_what_is_in_hand(
    project: Project, publish: Publish, clock: Any
) -> None:
    first, second = ListeningWorker(), ListeningWorker()
    publish(project.folder, ("a", 3), ("b", 4), ("a", 9))
    session = AnnotationSession(project, first, "Zoë", clock=clock)
    session.next()
    session.skip()
    held = session.next()
    clock.now += 9
    session.take_client(second)
    session.annotator = "Bert"
    assert session.next() is held
    clock.now += 4
    label = session.save(MASK)
    assert (label.annotator, label.strategy, label.score) == ("Bert", held.strategy, held.score)
    assert label.ended - label.started == timedelta(seconds=13)
    assert (first.asked, second.asked) == ([], [(Verb.STATUS, {"labelling": True})])
    second.says = [Event(EventKind.NOTE, None, {})]
    assert [event.kind for event in session.poll()] == [EventKind.NOTE]
    assert session.next().key == ("a", 9), "what was skipped comes last"


@pytest.mark.parametrize("state", [WorkerState.CRASHED, WorkerState.HUNG, WorkerState.STOPPED])
def test_labelling_goes_on_without_the_worker(project: Project, publish: Publish, state: WorkerState) -> None:
    worker = ListeningWorker()
    worker.state = state
    publish(project.folder, ("a", 3), ("b", 4))
    session = AnnotationSession(project, worker, "x")
    session.next()
    session.save(MASK)
    assert session.next().key == ("b", 4)
    assert worker.asked == []


def test_saving_needs_something_in_hand(session: AnnotationSession) -> None:
    for act in (session.no_change, session.withdraw, session.saved_label, session.skip, session.grid):
        with pytest.raises(NotReady, match="in hand"):
            act()


def labelled_by_ben(project: Project, entry: Entry) -> Entry:
    now = utc_now()
    project.save_label(Label(*entry.key, MASK, "Ben", now, now))
    return entry


def test_a_label_from_elsewhere_is_replaced_only_when_that_is_asked_for_twice(
    project: Project, session: AnnotationSession
) -> None:
    entry = labelled_by_ben(project, session.next())
    with pytest.raises(NotReady, match="labelled by Ben meanwhile"):
        session.no_change()
    assert project.label(*entry.key).annotator == "Ben"
    session.no_change()
    assert project.label(*entry.key).annotator == "Zoë"
    session.save(MASK)
    assert len(project.label_history(*entry.key)) == 3


def test_strokes_that_are_left_behind_replace_a_label_from_elsewhere(
    project: Project, session: AnnotationSession
) -> None:
    entry = labelled_by_ben(project, session.next())
    session.save(MASK, replace=True)
    assert project.label(*entry.key).annotator == "Zoë"


def test_what_is_saved_is_told_as_saved_though_nothing_can_be_read_afterwards(
    project: Project, session: AnnotationSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = session.next()
    save = project.save_label

    def save_and_go(label: Label) -> None:
        save(label)
        monkeypatch.setattr(project, "label_number", fail)

    def fail(*key: object) -> int:
        raise StorageFailed("the share does not answer")

    monkeypatch.setattr(project, "save_label", save_and_go)
    session.save(MASK)
    assert entry.key in project.labelled()
    assert session.queue.next().key != entry.key
