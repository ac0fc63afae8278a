"""The project's file: what is written comes back, and what makes no sense is refused."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput, ProjectBusy, ProjectExists, ProjectNotFound, UnsafePath
from longitudinal_al.project.records import Label, Pair, PairState, Round, Split, Verdict
from longitudinal_al.project.store import Project

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def label(pair: str = "a", slice_index: int = 3, value: int = 1, **other: object) -> Label:
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 3:7] = value
    given = {"annotator": "Zoë", "started": NOON, "ended": NOON + timedelta(seconds=40), **other}
    return Label(pair, slice_index, mask, **given)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project with two pairs of two patients."""
    with Project.create(tmp_path / "prøject") as made:
        made.add_pairs([Pair("a", "Anna", tmp_path / "a1", tmp_path / "a2"), pair_b(tmp_path)])
        yield made


def pair_b(folder: Path) -> Pair:
    return Pair("B", "Bert", folder / "b1", folder / "b2", reference=folder / "m", split=Split.TEST)


def test_a_project_is_one_file_with_its_settings(project: Project) -> None:
    assert project.classes == ("change",)
    names = sorted(path.name for path in project.folder.iterdir())
    assert names == ["project.lock", "project.sqlite", "project.sqlite-journal"]
    database = project._database
    assert database.value("PRAGMA journal_mode") == "persist"
    assert database.value("PRAGMA synchronous") == 2
    assert database.value("PRAGMA foreign_keys") == 1


def test_pairs_come_back_in_order_and_by_split(project: Project, tmp_path: Path) -> None:
    assert [pair.id for pair in project.pairs()] == ["a", "B"]
    assert project.pairs(Split.TEST) == [pair_b(tmp_path.resolve())]
    assert project.pair("b").id == "B"
    with pytest.raises(InvalidInput, match=r"no pair 'x' in the project; it has: a, B"):
        project.pair("x")


def test_adding_the_same_again_changes_nothing(project: Project, tmp_path: Path) -> None:
    new = Pair("c", "Carla", tmp_path / "c1", tmp_path / "c2")
    assert project.add_pairs([pair_b(tmp_path), new]) == 1
    assert project.add_pairs([pair_b(tmp_path), new]) == 0
    assert project.status()["pairs"] == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "A"}, "in the project already"),
        ({"id": "c", "patient": "Bert"}, "same split"),
        ({"id": "../c"}, "letters"),
        ({"id": "c", "patient": " "}, "patient is empty"),
    ],
)
def test_a_bad_pair_is_refused_and_none_is_added(
    project: Project, tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    given = {"id": "d", "patient": "Dora", "baseline": tmp_path / "1", "followup": tmp_path / "2", **changes}
    good = Pair("good", "Gina", tmp_path / "1", tmp_path / "2")
    with pytest.raises(InvalidInput, match=message):
        project.add_pairs([good, Pair(**given)])
    assert [pair.id for pair in project.pairs()] == ["a", "B"]


def test_paths_inside_move_with_the_folder_and_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    with Project.create(folder) as project:
        project.add_pairs([Pair("x", "A", folder / "scans" / "ä.nii", tmp_path / "out.nii")])
    shutil.move(folder, tmp_path / "new")
    with Project.open(tmp_path / "new") as project:
        pair = project.pair("x")
    assert pair.baseline == tmp_path.resolve() / "new" / "scans" / "ä.nii"
    assert pair.followup == tmp_path.resolve() / "out.nii"
    text = (
        sqlite3.connect(tmp_path / "new" / "project.sqlite").execute("SELECT baseline FROM pairs").fetchone()
    )
    assert text == ("scans/ä.nii",)


@pytest.mark.parametrize(("column", "value"), [("baseline", "../../etc/passwd"), ("id", "../../x")])
def test_a_project_from_elsewhere_cannot_lead_out_of_its_folder(
    project: Project, column: str, value: str
) -> None:
    connection = sqlite3.connect(project.folder / "project.sqlite")
    connection.execute(f"UPDATE pairs SET {column} = ? WHERE id = 'a'", (value,))
    connection.commit()
    connection.close()
    with pytest.raises((UnsafePath, InvalidInput), match=r"leads out|letters"):
        project.pairs()


def test_outcomes_of_preparation_are_kept(project: Project) -> None:
    project.set_prepared("a", Verdict.LOOK, "look at the edges", {"similarity": 0.7, "bad": float("nan")}, 12)
    project.set_failed("B", "two patients?", {"overlap": 0.1})
    a, b = project.pairs()
    assert (a.state, a.verdict, a.reason, a.slice_pairs) == (
        PairState.PREPARED, Verdict.LOOK, "look at the edges", 12,
    )  # fmt: skip
    assert (b.state, b.verdict, b.slice_pairs) == (PairState.FAILED, Verdict.FAILED, 0)
    assert project.pair_figures("a") == {"similarity": 0.7, "bad": None}
    counts = project.status()
    assert (counts["slice_pairs"], counts["failed_pairs"], counts["look_pairs"]) == (12, 1, 1)
    with pytest.raises(InvalidInput, match="use set_failed"):
        project.set_prepared("a", Verdict.FAILED, "", {}, 1)
    with pytest.raises(InvalidInput, match="no pair 'x'"):
        project.set_failed("x", "", {})


def test_a_label_comes_back_whole(project: Project) -> None:
    east = timezone(timedelta(hours=2))
    started = NOON.astimezone(east)
    given = label(started=started, suggestion_shown=True, strategy="entropy", score=np.float32(0.5))
    project.save_label(given)
    (back,) = project.labels()
    np.testing.assert_array_equal(back.mask, given.mask)
    assert back.mask.dtype == np.uint8
    assert (back.pair, back.slice, back.annotator) == ("a", 3, "Zoë")
    assert (back.started, back.started.utcoffset(), back.ended) == (NOON, timedelta(0), given.ended)
    assert (back.suggestion_shown, back.strategy, back.score) == (True, "entropy", 0.5)
    assert project.labelled() == {("a", 3)}


def test_every_version_is_kept_and_the_newest_counts(project: Project) -> None:
    project.save_label(label(value=0))
    project.save_label(label(value=1, annotator="Yan"))
    project.withdraw_label("a", 3, annotator="Xia")
    assert project.label("a", 3) is None
    assert project.labelled() == set()
    assert project.labels() == []
    project.save_label(label(pair="A", value=1))
    versions = project.label_history("a", 3)
    assert [version.annotator for version in versions] == ["Zoë", "Yan", "Xia", "Zoë"]
    sums = [None if each.label is None else int(each.label.mask.sum()) for each in versions]
    assert sums == [0, 8, None, 8]
    assert project.labelled() == {("a", 3)}
    assert project.status()["labelled"] == 1


def test_what_was_labelled_cannot_be_changed_or_deleted_even_by_hand(project: Project) -> None:
    project.save_label(label())
    connection = sqlite3.connect(project.folder / "project.sqlite")
    for statement in ("UPDATE labels SET slice = 1", "DELETE FROM labels"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)
    connection.close()
    assert project.labelled() == {("a", 3)}


def test_labels_that_make_no_sense_are_refused(project: Project) -> None:
    with pytest.raises(InvalidInput, match="no pair 'x'"):
        project.save_label(label(pair="x"))
    with pytest.raises(InvalidInput, match=r"class 2, the project knows 1 \(change\)"):
        project.save_label(label(value=2))
    with pytest.raises(InvalidInput, match="no label to withdraw"):
        project.withdraw_label("a", 3)
    assert project.status()["labelled"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slice": -1}, "negative"),
        ({"mask": np.zeros((3, 3), bool)}, "uint8"),
        ({"mask": np.zeros((3, 3, 3), np.uint8)}, "rows, columns"),
        ({"started": datetime(2026, 1, 1)}, "time zone"),
        ({"ended": NOON - timedelta(seconds=1)}, "before it was started"),
    ],
)
def test_a_label_checks_itself(changes: dict[str, object], message: str) -> None:
    given = {"pair": "a", "slice": 1, "mask": np.zeros((3, 3), np.uint8), "annotator": "", "started": NOON}
    with pytest.raises(InvalidInput, match=message):
        Label(**{**given, "ended": NOON, **changes})


def test_more_classes_than_one(tmp_path: Path) -> None:
    with Project.create(tmp_path, classes=["new", "shrinking"]) as project:
        project.add_pairs([Pair("a", "Anna", tmp_path / "1", tmp_path / "2")])
        project.save_label(label(value=2))
        assert project.label("a", 3).mask.max() == 2
    with pytest.raises(InvalidInput, match="different"):
        Project.create(tmp_path / "other", classes=["new", "new"])


def test_rounds_come_back(project: Project) -> None:
    model = project.folder / "models" / "1.safetensors"
    first = Round(1, None, 7, 12, NOON, NOON + timedelta(minutes=1), model, {"dice": 0.5, "name": "é"})
    second = Round(2, "entropy", 7, 24, NOON, NOON)
    project.add_round(first)
    assert project.next_round_number() == 2
    project.add_round(second)
    assert project.rounds() == [first, second]
    with pytest.raises(ProjectBusy, match="round 2 was finished"):
        project.add_round(second)


def test_figures_are_added_to_a_finished_round(project: Project) -> None:
    project.add_round(Round(1, None, 7, 12, NOON, NOON, None, {"steps": 5, "agreement": None}))
    project.add_round_figures(1, {"agreement": np.float32(0.5), "dice": float("nan")})
    assert project.rounds()[0].figures == {"steps": 5, "agreement": 0.5, "dice": None}
    with pytest.raises(InvalidInput, match="there is no round 2"):
        project.add_round_figures(2, {"dice": 1.0})


def test_new_labels_are_noticed_by_their_number(project: Project) -> None:
    assert project.last_label_number() == 0
    project.save_label(label(slice_index=1))
    seen = project.last_label_number()
    assert project.label_changes_since(seen) == {}
    project.save_label(label(slice_index=2))
    project.save_label(label("B", slice_index=2))
    project.withdraw_label("a", 1)
    project.save_label(label("B", slice_index=2))
    assert project.last_label_number() > seen
    assert project.label_changes_since(seen) == {("a", 2): True, ("a", 1): False, ("B", 2): True}
    last = project.last_label_number()
    assert project.label_changes_since(last) == {}


def test_create_never_overwrites(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ProjectExists, match="holds a project already"):
        Project.create(project.folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "project.sqlite").write_text("precious")
    with pytest.raises(ProjectExists):
        Project.create(other)
    assert (other / "project.sqlite").read_text() == "precious"


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match="longitudinal-al create"):
        Project.open(tmp_path)


def test_check_finds_what_is_missing(project: Project, tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1"):
        (tmp_path / name).write_text("x")
    project.set_prepared("a", Verdict.GOOD, "", {}, 3)
    problems = project.check()
    assert len(problems) == 2
    assert "'a': its prepared folder is missing; run prepare" in problems[0]
    assert "'B': the follow-up" in problems[1]
    project.pair_folder("a").mkdir(parents=True)
    (tmp_path / "b2").write_text("x")
    assert project.check() == []


def test_check_finds_a_mask_that_does_not_decode(project: Project, tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", "b2"):
        (tmp_path / name).write_text("x")
    project.save_label(label())
    connection = sqlite3.connect(project.folder / "project.sqlite")
    connection.execute("DROP TRIGGER labels_are_never_changed")
    connection.execute("UPDATE labels SET crc = crc + 1")
    connection.commit()
    connection.close()
    (problem,) = project.check()
    assert "pair 'a', slice 3" in problem
    assert "checksum" in problem
