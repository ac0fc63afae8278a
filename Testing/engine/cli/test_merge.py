"""`merge` on the command line: what it prints, for people and for machines."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from longitudinal_al.project.records import Decision, Label, Verdict, utc_now
from longitudinal_al.project.store import Project


def save(project: Project, pair: str, slice_index: int, pixels: int, annotator: str) -> None:
    mask = np.zeros((80, 72), np.uint8)
    mask.flat[:pixels] = 1
    project.save_label(Label(pair, slice_index, mask, annotator, utc_now(), utc_now()))


def test_merge_brings_the_labels_and_tells_the_conflicts(cli, small_project, tmp_path: Path) -> None:
    other = tmp_path / "copy of Bea"
    shutil.copytree(small_project.folder, other)
    save(small_project, "p0", 8, 30, "Abe")
    with Project.open(other) as theirs:
        save(theirs, "p0", 8, 10, "Bea")
        save(theirs, "p1", 9, 0, "Bea")
    merged = cli("merge", small_project.folder, other, "--json").done().json
    conflict = {"pair": "p0", "slice": 8, "here": "Abe", "there": "Bea", "counts": "there", "dice": 0.5}
    assert merged == {
        "pairs": [],
        "versions": 2,
        "slice_pairs": 1,
        "both": 1,
        "agreement": 0.5,
        "conflicts": [conflict],
        "decisions": 0,
        "registrations": 0,
        "disagreements": [],
        "labelled": 2,
    }
    assert "nothing new" in cli("merge", small_project.folder, other).done().out
    lines = cli("merge", other, small_project.folder).done().out
    assert "1 new version of labels; the project has 2 labelled now" in lines


def test_merge_prints_a_table_of_conflicts(cli, small_project, tmp_path: Path) -> None:
    other = tmp_path / "b"
    shutil.copytree(small_project.folder, other)
    save(small_project, "p0", 8, 30, "Abe")
    with Project.open(other) as theirs:
        save(theirs, "p0", 8, 10, "Bea")
    out = cli("merge", small_project.folder, other).done().out
    assert "1 slice pair labelled on both sides; agreement (Dice) 0.500" in out
    assert out.splitlines()[-1].split() == ["p0", "8", "Abe", "Bea", "B", "0.500"]


def test_merge_brings_what_was_said_by_hand_and_tells_the_disagreements(
    cli, small_project, tmp_path: Path
) -> None:
    other = tmp_path / "b"
    shutil.copytree(small_project.folder, other)
    small_project.decide("p0", "abc", Decision.ACCEPTED, "Abe")
    with Project.open(other) as theirs:
        theirs.decide("p0", "abc", Decision.REJECTED, "Bea")
        theirs.overrule("p1", Verdict.FAILED, "Bea")
    shutil.copytree(small_project.folder, tmp_path / "c")
    lines = cli("merge", small_project.folder, other).done().out.splitlines()
    assert lines[0] == "1 new decision on predicted changes"
    assert lines[1] == "1 new word on registrations, by hand; run prepare"
    assert lines[2] == "1 disagreement about changes and registrations; what both said is kept:"
    assert lines[-1].split() == ["p0", "abc", "Abe:", "accepted", "Bea:", "rejected", "B"]
    assert small_project.pair("p1").reason == "set aside by Bea"
    merged = cli("merge", other, tmp_path / "c", "--json").done().json
    (disagreement,) = merged["disagreements"]
    assert disagreement == {
        "pair": "p0",
        "about": "abc",
        "here": "Bea",
        "here_says": "rejected",
        "there": "Abe",
        "there_says": "accepted",
        "counts": "here",
    }
    assert "nothing new" in cli("merge", other, small_project.folder).done().out


def test_merge_refuses_a_folder_that_is_no_project(cli, small_project, tmp_path: Path) -> None:
    cli("merge", small_project.folder, tmp_path).refused("there is no project")
    cli("merge", small_project.folder, small_project.folder).refused("the same project")
