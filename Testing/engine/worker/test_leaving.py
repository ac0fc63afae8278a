"""When a worker leaves: a second one, one whose front end is gone, one whose project is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind


def test_a_second_worker_leaves_at_once_and_the_first_does_not_notice(
    worker: Any, shared_folder: Path, start: Any
) -> None:
    second = start(shared_folder, plain=True)
    assert second.left() == 3, second.err
    (said,) = second.events
    assert said.kind is EventKind.LEAVING
    assert f"process {worker.result('status')['process']} " in said.data["reason"]
    assert second.err == b""


def test_the_end_of_standard_input_ends_it_in_the_middle_of_a_training(
    start: Any, small_project: Project, label_some: Any, leftovers: Any
) -> None:
    folder = small_project.folder
    label_some(folder)
    worker = start(folder)
    worker.begin_training()
    worker.write(b'{"id": "cut", "verb": "sta')
    worker.hang_up()
    assert worker.left() == 0, worker.err
    assert worker.events[-1] == Event(EventKind.LEAVING, None, {"reason": "the front end is gone"})
    assert "cut" not in {event.id for event in worker.events}
    assert small_project.rounds() == []
    assert leftovers(folder) == []
    with small_project.writer_lock("test"):
        pass


def test_a_project_that_vanishes(start: Any, small_project: Project, label_some: Any) -> None:
    folder = small_project.folder
    label_some(folder)
    small_project.close()
    worker = start(folder)
    training = worker.begin_training()
    shutil.rmtree(folder, ignore_errors=os.name == "nt")
    assert worker.left() == 4, worker.err
    assert worker.end_of(training).kind in (EventKind.CANCELLED, EventKind.FAILED)
    notes = [event.data["message"] for event in worker.events if event.kind is EventKind.NOTE]
    assert any(str(folder) in note for note in notes)
    assert worker.events[-1].kind is EventKind.LEAVING
    assert not folder.exists()
