"""Two copies of a project, labelled, judged, merged and crashing in any order: nothing is ever lost."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from longitudinal_al.project import by_hand
from longitudinal_al.project import labels as labels_module
from longitudinal_al.project.records import Decision, GivenRegistration, Label, Pair, Verdict
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
        self.said: dict[str, set[tuple[str, object]]] = {side: set() for side in "AB"}
        self.number = 0
        self.now = START

    @rule(minutes=st.integers(-60, 60))
    def clock_jumps(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @contextmanager
    def at_this_time(self) -> Iterator[None]:
        self.now += timedelta(microseconds=1)
        with (
            patch.object(labels_module, "utc_now", lambda: self.now),
            patch.object(by_hand, "utc_now", lambda: self.now),
        ):
            yield

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

    @rule(side=SIDES, change=st.sampled_from("xy"), decision=st.sampled_from([None, *Decision]))
    def decide(self, side: str, change: str, decision: Decision | None) -> None:
        project = self.projects[side]
        with self.at_this_time():
            project.decide("p", change, decision, side)
        self.said[side].add((change, decision and decision.value))
        assert project.decisions("p").get(change) is decision

    @rule(side=SIDES, shift=st.sampled_from([None, 0, 5]))
    def register(self, side: str, shift: int | None) -> None:
        given = (
            None
            if shift is None
            else GivenRegistration((1.0, 0, 0, shift, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
        )
        with self.at_this_time():
            self.projects[side].set_registration("p", given, side)
        self.note_registration(side)

    @rule(side=SIDES, verdict=st.sampled_from([None, *Verdict]))
    def overrule(self, side: str, verdict: Verdict | None) -> None:
        with self.at_this_time():
            self.projects[side].overrule("p", verdict, side)
        self.note_registration(side)

    def note_registration(self, side: str) -> None:
        pair = self.projects[side].pair("p")
        self.said[side].add(
            ("registration", (pair.registration and pair.registration.matrix[3], pair.overruled))
        )

    @rule(into=SIDES)
    def merge(self, into: str) -> None:
        other = "B" if into == "A" else "A"
        project = self.projects[into]
        project.merge(self.places[other])
        self.kept[into] |= self.kept[other]
        self.said[into] |= self.said[other]
        after = current(project), rows_of(project)
        again = project.merge(self.places[other])
        assert again.versions == again.decisions == again.registrations == 0
        assert (current(project), rows_of(project)) == after

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

    @invariant()
    def every_word_is_kept(self) -> None:
        for side, project in self.projects.items():
            assert said_in(project) == self.said[side]

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


def said_in(project: Project) -> set[tuple[str, object]]:
    found: set[tuple[str, object]] = set()
    for row in project._database.rows("SELECT change, decision FROM decisions"):
        found.add((row["change"], row["decision"]))
    for row in project._database.rows("SELECT registration, overruled FROM by_hand"):
        given = row["registration"] and json.loads(row["registration"])["matrix"][3]
        found.add(("registration", (given, row["overruled"])))
    return found


def rows_of(project: Project) -> list[int]:
    return [
        project._database.value(f"SELECT COUNT(*) FROM {table}")
        for table in ("labels", "decisions", "by_hand")
    ]


def current(project: Project) -> tuple[object, ...]:
    """Return all that counts now."""
    pair = project.pair("p")
    labels = {label.slice: number_in(label) for label in project.labels()}
    return labels, project.decisions("p"), pair.registration, pair.overruled, pair.state


TestCopies = Copies.TestCase
TestCopies.settings = settings(max_examples=200 if SOAK else 12, stateful_step_count=20, deadline=None)
