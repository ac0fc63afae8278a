"""Any order of labelling, relabelling and withdrawing ends as a plain dict says it should."""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.records import Label, Pair
from longitudinal_al.project.store import Project

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SLICE_PAIRS = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2))


class Labelling(RuleBasedStateMachine):
    """One project, reopened now and then, against a dict from slice pair to history."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.path = Path(self.folder.name)
        self.project = Project.create(self.path)
        self.project.add_pairs([Pair(name, name, self.path / "1", self.path / "2") for name in "ab"])
        self.model: dict[tuple[str, int], list[int | None]] = {}

    @rule(which=SLICE_PAIRS, bits=st.integers(0, 255))
    def save(self, which: tuple[str, int], bits: int) -> None:
        mask = np.unpackbits(np.array([[bits]], np.uint8), axis=1)
        self.project.save_label(Label(*which, mask, "x", NOW, NOW))
        self.model.setdefault(which, []).append(bits)

    @rule(which=SLICE_PAIRS)
    def withdraw(self, which: tuple[str, int]) -> None:
        past = self.model.get(which, [])
        if past and past[-1] is not None:
            self.project.withdraw_label(*which)
            past.append(None)
        else:
            with pytest.raises(InvalidInput):
                self.project.withdraw_label(*which)

    @rule()
    def reopen(self) -> None:
        self.project.close()
        self.project = Project.open(self.path)

    @invariant()
    def agrees(self) -> None:
        current = {which: past[-1] for which, past in self.model.items() if past[-1] is not None}
        labels = self.project.labels()
        assert {(each.pair, each.slice): bits_of(each) for each in labels} == current
        assert len(labels) == len(current) == self.project.status()["labelled"]
        assert self.project.labelled() == set(current)

    @invariant()
    def keeps_all_versions(self) -> None:
        for which, past in self.model.items():
            history = self.project.label_history(*which)
            assert [None if each.label is None else bits_of(each.label) for each in history] == past

    def teardown(self) -> None:
        self.project.close()
        self.folder.cleanup()


def bits_of(label: Label) -> int:
    return int(np.packbits(label.mask)[0])


TestLabelling = Labelling.TestCase
TestLabelling.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
