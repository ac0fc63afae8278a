"""A session and the project file together: in any order, crashes included, no label is ever lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project

SOAK = bool(os.environ.get("LONGITUDINALAL_SOAK"))
KEYS = st.tuples(st.sampled_from("ab"), st.integers(0, 11))
ALL_KEYS = [(pair, index) for pair in "ab" for index in range(12)]
Key = tuple[str, int]


def drawn(value: int) -> np.ndarray:
    mask = np.zeros((6, 8), np.uint8)
    mask[0] = np.unpackbits(np.array([value], np.uint8))
    return mask


def value_of(label: Label) -> int:
    return int(np.packbits(label.mask[0])[0])


class Session(RuleBasedStateMachine):
    """A session against a plain dict of what every label has to be."""

    def __init__(self, make: Callable[[Path], Project], publish: Callable[..., None]) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.path = Path(self.folder.name) / "project"
        self.publish = publish
        self.project = make(self.path)
        self.copy: Path | None = None
        self.saved: dict[Key, int] = {}
        self.elsewhere: set[tuple[Key, int]] = set()
        self.ever: set[tuple[Key, int]] = set()
        self.begin()

    def begin(self) -> None:
        self.session = AnnotationSession(self.project, None, "Zoë", clock=lambda: 0.0)

    @property
    def held(self) -> Key | None:
        return self.session.in_hand and self.session.in_hand.key

    @rule(keys=st.lists(KEYS, unique=True, min_size=1, max_size=10))
    def new_ranking(self, keys: list[Key]) -> None:
        self.publish(self.path, *keys)
        self.session._feed.look_soon()

    @rule()
    def next(self) -> None:
        before = self.held
        given = self.session.next()
        if before is not None and before not in self.saved:
            assert given.key == before
        elif isinstance(given, Entry):
            assert given.key not in self.saved
            assert all(
                given.pair != pair or abs(given.slice - index) * 3.0 >= 5.0 for pair, index in self.saved
            )

    @precondition(lambda self: self.held)
    @rule(value=st.integers(0, 255))
    def label(self, value: int) -> None:
        try:
            self.session.save(drawn(value))
        except NotReady as error:  # once, where a label came that nobody here has seen
            assert "meanwhile" in str(error)
            assert value_of(self.project.label(*self.held)) == self.saved[self.held]
            self.session.save(drawn(value))
        self.saved[self.held] = value
        self.ever.add((self.held, value))

    @precondition(lambda self: self.held)
    @rule()
    def skip(self) -> None:
        self.session.skip()

    @precondition(lambda self: self.session.queue.can_go_back)
    @rule()
    def back(self) -> None:
        self.session.back()

    @rule(key=KEYS)
    def choose(self, key: Key) -> None:
        assert self.session.open(*key).key == key

    @precondition(lambda self: self.held in self.saved)
    @rule()
    def withdraw(self) -> None:
        self.session.withdraw()
        del self.saved[self.held]

    @rule(key=KEYS, value=st.integers(0, 255))
    def someone_else_labels(self, key: Key, value: int) -> None:
        with Project.open(self.path) as other:
            other.save_label(Label(*key, drawn(value), "Bert", utc_now(), utc_now()))
        self.saved[key] = value
        self.ever.add((key, value))

    @rule(key=KEYS)
    def crash(self, key: Key) -> None:
        """All that was in memory is gone, and the files are as they were in the middle of a transaction."""
        crashed = self.path.with_name("crashed")
        insert = "INSERT INTO labels (pair, slice, withdrawn, annotator, saved) VALUES (?, ?, 1, 'x', 'x')"
        with self.project._database.transaction() as connection:
            connection.execute(insert, key)
            shutil.copytree(self.path, crashed)
        self.project.close()
        shutil.rmtree(self.path)
        crashed.rename(self.path)
        self.project = Project.open(self.path)
        self.begin()

    @rule(key=KEYS, value=st.integers(0, 255))
    def a_copy_is_labelled_elsewhere(self, key: Key, value: int) -> None:
        if self.copy is None:
            self.copy = self.path.with_name("copy")
            shutil.copytree(self.path, self.copy)
        with Project.open(self.copy) as other:
            other.save_label(Label(*key, drawn(value), "Carla", utc_now(), utc_now()))
        self.elsewhere.add((key, value))

    @precondition(lambda self: self.copy is not None)
    @rule(key=KEYS)
    def a_label_of_the_copy_is_withdrawn(self, key: Key) -> None:
        with Project.open(self.copy) as other:
            if key in other.labelled():
                other.withdraw_label(*key, "Carla")

    @precondition(lambda self: self.copy is not None)
    @rule()
    def merge(self) -> None:
        self.project.merge(self.copy)
        self.ever |= self.elsewhere
        with Project.open(self.copy) as other:
            theirs = {key for key in ALL_KEYS if other.label_history(*key)}
        for key in theirs:  # which of the two counts is told by the tests of merging
            now = self.project.label(*key)
            self.saved.pop(key, None)
            if now is not None:
                self.saved[key] = value_of(now)

    @invariant()
    def every_label_is_there(self) -> None:
        labels = self.project.labels()
        found = {(label.pair, label.slice): value_of(label) for label in labels}
        assert found == self.saved

    @invariant()
    def every_version_is_there(self) -> None:
        for key, value in self.ever:
            past = [version.label for version in self.project.label_history(*key)]
            assert any(label is not None and value_of(label) == value for label in past)

    def teardown(self) -> None:
        self.project.close()
        self.folder.cleanup()


def test_no_label_is_lost_in_any_order(
    make_project: Callable[[Path], Project], publish: Callable[..., None]
) -> None:
    run_state_machine_as_test(
        lambda: Session(make_project, publish),
        settings=settings(
            max_examples=300 if SOAK else 15, stateful_step_count=40 if SOAK else 20, deadline=None
        ),
    )
