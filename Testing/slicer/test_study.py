"""One worker after the other: nothing in the window waits for an end, and no two work on one project."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from logic_host import PlainSection, ScriptedWorker  # first: it skips where slicer-core is missing

from longitudinal_al.errors import NotReady, StorageFailed
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.database import BUSY_SECONDS
from longitudinal_al.project.records import Pair
from longitudinal_al.project.store import PROJECT_FILE, Project
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.LearningLogic import LearningLogic
from LongitudinalALLib.Logic.Study import Study


@pytest.fixture
def desk(tmp_path):
    """A study with an open project, whose workers leave only when the test says so."""
    made = SimpleNamespace(workers=[], places=[], problem="", isChecked=True, heard=[])

    def start(folder, strategy):
        if made.problem:
            raise NotReady(made.problem)
        if not made.isChecked:
            return None
        made.workers.append(ScriptedWorker(isSlow=True))
        made.places.append((folder.name, strategy))
        return made.workers[-1]

    made.study = Study(start)
    made.section = PlainSection("learning")
    made.learning = LearningLogic(made.section, made.study)
    made.study.happened.connect(made.heard.append)
    made.study.create(tmp_path / "one")
    yield made
    made.study.close()


def test_another_worker_starts_when_the_one_before_has_left(desk):
    first = desk.workers[0]
    desk.section.strategyChosen.emit("entropy")
    assert first.state is WorkerState.STOPPING and not first.isClosed
    for _ in range(3):
        desk.study.tick()
    assert desk.places == [("one", None)]
    assert desk.section.last("showState") == "Stopping the worker ..."
    assert desk.section.last("setRestartable") is False
    with pytest.raises(NotReady, match="started anew"):
        desk.study.request(Verb.PREPARE)
    first.leave()
    desk.study.tick()
    assert desk.places == [("one", None), ("one", "entropy")]
    assert desk.study.worker is desk.workers[1]
    assert desk.section.last("showState") == "Nothing to do."


def test_what_was_asked_of_the_one_that_leaves_is_answered(desk):
    desk.study.restartWorker()
    answer = Event(EventKind.CRASHED, "1", {"message": "the worker was stopped before this was done"})
    desk.workers[0].events.append(answer)
    desk.workers[0].leave()
    desk.study.tick()
    assert desk.heard == [answer]


def test_changing_things_twice_starts_one_worker_only_with_the_newest(desk):
    desk.section.strategyChosen.emit("entropy")
    desk.section.strategyChosen.emit("margin")
    desk.workers[0].leave()
    desk.study.tick()
    desk.study.tick()
    assert desk.places == [("one", None), ("one", "margin")]


def test_another_project_opens_at_once_and_its_worker_comes_later(desk, tmp_path):
    desk.study.create(tmp_path / "two")
    assert desk.study.project.folder.name == "two"
    assert desk.study.worker is None and desk.study.isWaiting
    desk.workers[0].events.append(Event(EventKind.STATE, None, {"sentence": "of the project before"}))
    desk.study.tick()
    desk.workers[0].leave()
    desk.study.tick()
    assert desk.heard == []
    assert desk.places == [("one", None), ("two", None)]


def test_closing_waits_for_every_worker(desk, tmp_path):
    desk.study.create(tmp_path / "two")
    desk.study.close()
    assert desk.workers[0].isClosed
    desk.study.tick()
    assert len(desk.workers) == 1


def test_one_that_hangs_is_ended_and_not_asked(desk, monkeypatch):
    ended = []
    monkeypatch.setattr(ScriptedWorker, "kill", lambda self: ended.append(self) or self.leave())
    desk.workers[0].state = WorkerState.HUNG
    desk.section.restartRequested.emit()
    desk.study.tick()
    assert ended == [desk.workers[0]]
    assert len(desk.workers) == 2


def test_a_worker_that_cannot_start_yet_or_at_all_is_said(desk):
    desk.isChecked = False
    desk.workers[0].isSlow = False
    desk.study.restartWorker()
    desk.study.tick()
    assert desk.study.worker is None
    assert desk.section.last("showState") == "The worker starts once its Python is checked."
    with pytest.raises(NotReady, match="being checked"):
        desk.study.request(Verb.PREPARE)
    desk.study.failWorker("There is no file /x.")
    desk.study.tick()
    assert desk.section.last("showState") == "There is no file /x."
    assert desk.section.last("setRestartable") is True
    desk.isChecked = True
    desk.study.restartWorker()
    assert desk.study.worker is desk.workers[1]


def test_another_annotator_needs_no_other_worker(desk, tmp_path):
    with Project.open(desk.study.project.folder) as project:
        for name in ("1", "2"):
            (tmp_path / name).write_text(name)
        project.add_pairs([Pair("p", "P", tmp_path / "1", tmp_path / "2")])
    before = desk.study.session
    desk.study.setAnnotator("Ben")
    assert desk.study.session is before
    assert before.annotator == "Ben"
    assert desk.study.worker is desk.workers[0] and not desk.study.isWaiting


def test_what_the_worker_said_is_heard_though_the_project_cannot_be_read(desk, monkeypatch):
    def fail():
        raise StorageFailed("the share does not answer")

    monkeypatch.setattr(desk.study.project, "last_label_number", fail)
    desk.workers[0].events.append(Event(EventKind.DONE, "1", {}))
    desk.study.tick()
    assert [event.kind for event in desk.heard] == [EventKind.DONE]


def test_the_window_does_not_wait_for_a_project_that_another_program_holds(desk):
    file = desk.study.project.folder / PROJECT_FILE
    waits = []
    desk.study.project._database._connection.set_trace_callback(waits.append)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        desk.study.tick()
        other.execute("ROLLBACK")
    assert any("busy_timeout=0" in each for each in waits)
    assert desk.study.project._database.value("PRAGMA busy_timeout") == 1000 * BUSY_SECONDS
    desk.study.tick()
