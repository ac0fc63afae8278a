"""Two copies of a project, labelled apart and brought together: every label is kept, conflicts are told."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput, ProjectDamaged, ProjectNotFound, ProjectTooNew
from longitudinal_al.project import labels as labels_module
from longitudinal_al.project.merging import Conflict
from longitudinal_al.project.records import Label, Pair, Split
from longitudinal_al.project.store import Project

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


class Clock:
    """The time of saving, set by the test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the clock of saving."""
    made = Clock()
    monkeypatch.setattr(labels_module, "utc_now", made)
    return made


@pytest.fixture
def both(tmp_path: Path, clock: Clock) -> tuple[Project, Project]:
    """Return a project with one label, and a copy of it."""
    (tmp_path / "a").mkdir()
    for name in ("1", "2"):
        (tmp_path / "a" / name).write_text(name)
    with Project.create(tmp_path / "a") as ours:
        ours.add_pairs([pair(ours.folder, "p"), pair(ours.folder, "q")])
        ours.save_label(label(0, 1))
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        with Project.open(tmp_path / "b") as theirs:
            yield ours, theirs


def pair(folder: Path, name: str) -> Pair:
    return Pair(name, f"patient {name}", folder / "1", folder / "2")


def label(slice_index: int, value: int, annotator: str = "Zoë", pair_id: str = "p") -> Label:
    """Make a label whose mask holds `value` changed pixels of 16."""
    mask = np.zeros((4, 4), np.uint8)
    mask.flat[:value] = 1
    return Label(pair_id, slice_index, mask, annotator, NOON, NOON, True, "entropy", 0.5)


def drawn(project: Project) -> dict[tuple[str, int], int]:
    return {(each.pair, each.slice): int(each.mask.sum()) for each in project.labels()}


def versions(project: Project, slice_index: int) -> list[int | None]:
    history = project.label_history("p", slice_index)
    return [None if each.label is None else int(each.label.mask.sum()) for each in history]


def test_labels_of_both_are_kept_and_the_latest_counts(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.save_label(label(1, 4, "Bea"))
    ours.save_label(label(1, 8, "Abe"))
    ours.save_label(label(2, 2, "Abe"))
    theirs.save_label(label(2, 6, "Bea"))
    theirs.save_label(label(3, 5, "Bea", "q"))
    before = (theirs.folder / "project.sqlite").read_bytes()
    merged = ours.merge(theirs.folder)
    assert (theirs.folder / "project.sqlite").read_bytes() == before
    assert drawn(ours) == {("p", 0): 1, ("p", 1): 8, ("p", 2): 6, ("q", 3): 5}
    assert versions(ours, 1) == [8, 4, 8]
    assert versions(ours, 2) == [2, 6]
    assert (merged.pairs, merged.versions, merged.slice_pairs, merged.both) == ([], 3, 1, 2)
    assert merged.agreement == pytest.approx(2 * (4 + 2) / (4 + 8 + 2 + 6))
    assert merged.conflicts == [
        Conflict("p", 1, "Abe", "Bea", "here", pytest.approx(2 * 4 / 12)),
        Conflict("p", 2, "Abe", "Bea", "there", pytest.approx(2 * 2 / 8)),
    ]


def test_what_came_keeps_all_that_is_known_of_it(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.save_label(label(1, 4, "Bea"))
    ours.merge(theirs.folder)
    (there,), (here,) = theirs.label_history("p", 1), ours.label_history("p", 1)
    assert (here.saved, here.annotator) == (there.saved, there.annotator)
    assert {**vars(here.label), "mask": None} == {**vars(there.label), "mask": None}
    assert np.array_equal(here.label.mask, there.label.mask)


def test_merging_again_and_back_changes_nothing_more(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.save_label(label(1, 4, "Bea"))
    ours.save_label(label(1, 8, "Abe"))
    theirs.withdraw_label("p", 0, "Bea")
    ours.merge(theirs.folder)
    number = ours.last_label_number()
    again = ours.merge(theirs.folder)
    assert (again.versions, again.slice_pairs, again.both, again.conflicts) == (0, 0, 0, [])
    assert ours.last_label_number() == number
    back = theirs.merge(ours.folder)
    assert back.versions == 1
    assert drawn(theirs) == drawn(ours) == {("p", 1): 8}
    assert ours.merge(theirs.folder).versions == theirs.merge(ours.folder).versions == 0


def test_a_copy_that_was_worked_on_further_counts_though_its_clock_is_late(
    both: tuple[Project, Project], clock: Clock
) -> None:
    ours, theirs = both
    clock.now -= timedelta(days=400)
    theirs.save_label(label(0, 9, "Bea"))
    merged = ours.merge(theirs.folder)
    assert drawn(ours) == {("p", 0): 9}
    assert (merged.both, merged.conflicts) == (0, [])
    ours.save_label(label(0, 3, "Abe"))
    assert ours.merge(theirs.folder).versions == 0
    assert drawn(ours) == {("p", 0): 3}


def test_the_same_mask_drawn_twice_is_agreement_and_no_conflict(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    ours.save_label(label(5, 0, "Abe"))
    theirs.save_label(label(5, 0, "Bea"))
    merged = ours.merge(theirs.folder)
    assert (merged.both, merged.agreement, merged.conflicts) == (1, 1.0, [])
    assert [each.annotator for each in ours.label_history("p", 5)] == ["Abe", "Bea"]


def test_withdrawn_there_and_drawn_again_here_is_a_conflict(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.withdraw_label("p", 0, "Bea")
    ours.save_label(label(0, 7, "Abe"))
    merged = ours.merge(theirs.folder)
    assert merged.conflicts == [Conflict("p", 0, "Abe", "Bea", "here", None)]
    assert (merged.both, merged.agreement) == (0, None)
    assert versions(ours, 0) == [1, 7, None, 7]


def test_new_pairs_are_added_with_their_scans(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.add_pairs([replace(pair(theirs.folder, "New"), split=Split.TEST)])
    theirs.save_label(label(2, 2, "Bea", "New"))
    merged = ours.merge(theirs.folder)
    assert merged.pairs == ["New"]
    assert ours.pair("New") == theirs.pair("New")
    assert drawn(ours)["New", 2] == 2


def test_names_of_pairs_that_differ_in_case_are_one_pair(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).write_text(name)
    with Project.create(tmp_path / "a") as ours, Project.create(tmp_path / "b") as theirs:
        ours.add_pairs([replace(pair(tmp_path, "p"), id="P1")])
        theirs.add_pairs([replace(pair(tmp_path, "p"), id="p1")])
        ours.save_label(label(0, 3, "Abe", "P1"))
        theirs.save_label(label(0, 3, "Bea", "p1"))
        merged = ours.merge(theirs.folder)
        assert (merged.pairs, merged.both) == ([], 1)
        assert drawn(ours) == {("P1", 0): 3}


def other_patient(theirs: Project) -> None:
    theirs.add_pairs([replace(pair(theirs.folder, "late"), patient="somebody")])


def other_scan(theirs: Project) -> None:
    (theirs.folder / "3").write_text("3")
    theirs.add_pairs([replace(pair(theirs.folder, "late"), followup=theirs.folder / "3")])


def other_bytes(theirs: Project) -> None:
    (theirs.folder / "2").write_text("not 2")
    theirs.add_pairs([pair(theirs.folder, "late")])


def other_split(theirs: Project) -> None:
    theirs.add_pairs([replace(pair(theirs.folder, "later"), patient="patient late", split=Split.TEST)])


def other_grid(theirs: Project) -> None:
    theirs.add_pairs([pair(theirs.folder, "late")])
    theirs.save_label(replace(label(7, 1, "Bea", "late"), mask=np.zeros((4, 5), np.uint8)))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (other_patient, "is of patient 'patient late' here and of 'somebody' there"),
        (other_scan, "its follow-up is .* another scan"),
        (other_bytes, "its follow-up is .* another scan"),
        (other_split, "same split"),
        (other_grid, "4 x 4 pixels here and 4 x 5 there"),
    ],
)
def test_another_pair_under_the_same_name_is_refused_and_nothing_changed(both, harm, message: str) -> None:
    ours, theirs = both
    ours.add_pairs([pair(ours.folder, "late")])
    ours.save_label(label(1, 1, "Abe", "late"))
    theirs.save_label(label(9, 1, "Bea"))
    harm(theirs)
    before = (ours.folder / "project.sqlite").read_bytes()
    with pytest.raises(InvalidInput, match=message):
        ours.merge(theirs.folder)
    assert (ours.folder / "project.sqlite").read_bytes() == before


def test_scans_of_another_computer_are_known_by_their_name(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    shutil.move(theirs.folder / "1", theirs.folder / "gone")
    theirs.save_label(label(1, 4, "Bea"))
    assert ours.merge(theirs.folder).versions == 1


def test_other_classes_are_refused(both: tuple[Project, Project], tmp_path: Path) -> None:
    with Project.create(tmp_path / "c", ["new", "gone"]) as theirs, pytest.raises(InvalidInput, match="gone"):
        both[0].merge(theirs.folder)


def test_a_damaged_mask_there_does_not_come_here(both: tuple[Project, Project]) -> None:
    ours, theirs = both
    theirs.save_label(label(1, 4, "Bea"))
    theirs.save_label(label(2, 4, "Bea"))
    connection = sqlite3.connect(theirs.folder / "project.sqlite")
    connection.execute("DROP TRIGGER labels_are_never_changed")
    connection.execute("UPDATE labels SET crc = crc + 1 WHERE slice = 2")
    connection.commit()
    connection.close()
    before = drawn(ours)
    with pytest.raises(ProjectDamaged, match=r"b.project\.sqlite is damaged.*slice 2"):
        ours.merge(theirs.folder)
    assert drawn(ours) == before


def test_what_cannot_be_merged_is_said(both: tuple[Project, Project], tmp_path: Path) -> None:
    ours, theirs = both
    with pytest.raises(InvalidInput, match="the same project"):
        ours.merge(ours.folder)
    with pytest.raises(ProjectNotFound):
        ours.merge(tmp_path)
    connection = sqlite3.connect(theirs.folder / "project.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProjectTooNew):
        ours.merge(theirs.folder)
