"""A session and the project file together: in any order, crashes included, no label is ever lost."""

from __future__ import annotations

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

from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project

KEYS = st.tuples(st.sampled_from("ab"), st.integers(0, 11))
Key = tuple[str, int]


def drawn(value: int) -> np.ndarray:
    mask = np.zeros((6, 8), np.uint8)
    mask[0] = np.unpackbits(np.array([value], np.uint8))
    return mask


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
        self.elsewhere: dict[Key, int] = {}
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
        self.session.save(drawn(value))
        self.saved[self.held] = value

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

    @rule()
    def crash(self) -> None:
        """All that was in memory is gone; nothing is closed in good order."""
        self.project.close()
        self.project = Project.open(self.path)
        self.begin()

    @precondition(lambda self: self.copy is None)
    @rule(key=KEYS, value=st.integers(0, 255))
    def a_copy_is_labelled_elsewhere(self, key: Key, value: int) -> None:
        self.copy = self.path.with_name("copy")
        self.project.close()
        shutil.copytree(self.path, self.copy)
        self.project = Project.open(self.path)
        self.begin()
        with Project.open(self.copy) as other:
            other.save_label(Label(*key, drawn(value), "Carla", utc_now(), utc_now()))
        self.elsewhere = {key: value}

    @precondition(lambda self: self.copy is not None)
    @rule()
    def merge(self) -> None:
        self.project.merge(self.copy)
        for key, value in self.elsewhere.items():
            past = [version.label for version in self.project.label_history(*key)]
            assert any(label is not None and np.array_equal(label.mask, drawn(value)) for label in past)
            now = self.project.label(*key)
            self.saved.pop(key, None)
            if now is not None:
                self.saved[key] = int(np.packbits(now.mask[0])[0])

    @invariant()
    def every_label_is_there(self) -> None:
        labels = self.project.labels()
        found = {(label.pair, label.slice): int(np.packbits(label.mask[0])[0]) for label in labels}
        assert found == self.saved

    def teardown(self) -> None:
        self.project.close()
        self.folder.cleanup()


def test_no_label_is_lost_in_any_order(
    make_project: Callable[[Path], Project], publish: Callable[..., None]
) -> None:
    run_state_machine_as_test(
        lambda: Session(make_project, publish),
        settings=settings(max_examples=15, stateful_step_count=20, deadline=None),
    )
