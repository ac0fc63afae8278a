"""`kill -9` while two copies are merged: all of it is there or nothing, and the next merge does it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np

from longitudinal_al.project.records import Decision, Label, utc_now
from longitudinal_al.project.store import Project

LABELS = 400
MERGER = """
project = Project.open(Path(sys.argv[1]))
acknowledge("begun")
project.merge(Path(sys.argv[2]))
acknowledge("merged")
"""


def label(slice_index: int, value: int, annotator: str) -> Label:
    mask = np.full((64, 64), value, np.uint8)
    return Label("p", slice_index, mask, annotator, utc_now(), utc_now())


def state_of(project: Project) -> tuple[object, ...]:
    return project.last_label_number(), project.labelled(), project.decisions("p")


def test_a_merge_is_done_whole_or_not_at_all(
    start, folder: Path, times, generator: np.random.Generator
) -> None:
    other, work = folder.with_name("other"), folder.with_name("work")
    shutil.copytree(folder, other)
    with Project.open(folder) as ours, Project.open(other) as theirs:
        ours.save_label(label(3, 0, "Abe"))
        for index in range(times(40, LABELS)):
            theirs.save_label(label(index, 1, "Bea"))
        theirs.decide("p", "abc", Decision.REJECTED, "Bea")
        before = state_of(ours)
    shutil.copytree(folder, work)
    with Project.open(work) as project:
        began = time.monotonic()
        project.merge(other)
        seconds = time.monotonic() - began
        after = state_of(project)
    shutil.rmtree(work)
    there = (other / "project.sqlite").read_bytes()
    killed = 0
    for _ in range(times(6, 100)):
        shutil.copytree(folder, work)
        process = start(MERGER, work, other)
        assert process.stdout.readline() == "begun\n", process.stderr.read()
        time.sleep(generator.uniform(0, 1.5 * seconds))
        process.kill()
        said, _ = process.communicate()
        with Project.open(work) as project:
            assert state_of(project) in ((after,) if "merged" in said else (before, after))
            killed += state_of(project) == before
            assert [each for each in project.check() if "is missing" not in each] == []
            project.merge(other)
            assert state_of(project) == after
        assert (other / "project.sqlite").read_bytes() == there
        shutil.rmtree(work)
    print(f"{times(6, 100)} kills while merging, {killed} before its end, nothing lost")
