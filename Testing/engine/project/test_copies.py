"""Two copies of a project, labelled, withdrawn, merged and crashing in any order: nothing is ever lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from longitudinal_al.project import labels as labels_module
from longitudinal_al.project.records import Label, Pair
from longitudinal_al.project.store import Project

SOAK = bool(os.environ.get("LONGITUDINALAL_SOAK"))
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
SIDES = st.sampled_from("AB")
SLICES = st.integers(0, 2)


class Copies(RuleBasedStateMachine):
    """Two copies, a clock that jumps as it likes, and lists of all that each was ever given."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True, dir=FAST)
        self.path = Path(self.folder.name)
        self.places = {side: self.path / side for side in "AB"}
        with Project.create(self.places["A"]) as project:
            project.add_pairs([Pair("p", "P", self.path / "1", self.path / "2")])
        shutil.copytree(self.places["A"], self.places["B"])
        self.projects = {side: Project.open(place) for side, place in self.places.items()}
        self.kept: dict[str, set[tuple[int, int]]] = {side: set() for side in "AB"}
        self.number = 0
        self.now = START

    @rule(minutes=st.integers(-60, 60))
    def clock_jumps(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def at_this_time(self) -> object:
        self.now += timedelta(microseconds=1)
        return patch.object(labels_module, "utc_now", lambda: self.now)

    @rule(side=SIDES, slice_index=SLICES)
    def save(self, side: str, slice_index: int) -> None:
        self.number += 1
        with self.at_this_time():
            self.projects[side].save_label(numbered(slice_index, self.number, side))
        self.kept[side].add((slice_index, self.number))
        assert number_in(self.projects[side].label("p", slice_index)) == self.number

    @rule(side=SIDES, slice_index=SLICES)
    def withdraw(self, side: str, slice_index: int) -> None:
        project = self.projects[side]
        if ("p", slice_index) in project.labelled():
            with self.at_this_time():
                project.withdraw_label("p", slice_index, side)
            assert ("p", slice_index) not in project.labelled()

    @rule(into=SIDES)
    def merge(self, into: str) -> None:
        other = "B" if into == "A" else "A"
        project = self.projects[into]
        project.merge(self.places[other])
        self.kept[into] |= self.kept[other]
        after = current(project), project.last_label_number()
        assert project.merge(self.places[other]).versions == 0
        assert (current(project), project.last_label_number()) == after

    @rule(into=SIDES)
    def merge_both_ways(self, into: str) -> None:
        self.merge(into)
        self.merge("B" if into == "A" else "A")
        assert current(self.projects["A"]) == current(self.projects["B"])

    @rule(side=SIDES, slice_index=SLICES)
    def crash_while_saving(self, side: str, slice_index: int) -> None:
        """Go on with the files as they are in the middle of a transaction."""
        project, place = self.projects[side], self.places[side]
        with project._database.transaction() as connection:
            connection.execute(
                "INSERT INTO labels (pair, slice, withdrawn, annotator, saved) VALUES ('p', ?, 1, 'x', 'x')",
                (slice_index,),
            )
            shutil.copytree(place, self.path / "crashed")
        # The transaction above is in the old place only, which is thrown away.
        project.close()
        shutil.rmtree(place)
        (self.path / "crashed").rename(place)
        self.projects[side] = Project.open(place)

    @invariant()
    def every_version_is_kept(self) -> None:
        for side, project in self.projects.items():
            found = {
                (index, number_in(version.label))
                for index in range(3)
                for version in project.label_history("p", index)
                if version.label is not None
            }
            assert found == self.kept[side]

    def teardown(self) -> None:
        for project in self.projects.values():
            problems = [each for each in project.check() if "is missing" not in each]
            project.close()
            assert problems == []
        self.folder.cleanup()


def numbered(slice_index: int, number: int, annotator: str) -> Label:
    mask = np.zeros((1, 16), np.uint8)
    mask[0] = [(number >> bit) & 1 for bit in range(16)]
    return Label("p", slice_index, mask, annotator, START, START)


def number_in(label: Label | None) -> int:
    assert label is not None
    return sum(int(bit) << place for place, bit in enumerate(label.mask[0]))


def current(project: Project) -> dict[int, int]:
    return {label.slice: number_in(label) for label in project.labels()}


TestCopies = Copies.TestCase
TestCopies.settings = settings(max_examples=200 if SOAK else 12, stateful_step_count=20, deadline=None)
