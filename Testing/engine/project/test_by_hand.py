import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project import schema
from longitudinal_al.project.database import Database
from longitudinal_al.project.records import Decision, GivenRegistration, Pair, PairState, Verdict
from longitudinal_al.project.store import Project

SHIFT = (1.0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)


@pytest.fixture
def project(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("scan")
    with Project.create(tmp_path / "project") as project:
        project.add_pairs([Pair("p", "P", tmp_path / "a", tmp_path / "b")])
        yield project


def test_a_registration_by_hand_has_the_pair_prepared_again_and_can_be_taken_back(project):
    project.set_prepared("p", Verdict.LOOK, "half matching", {}, 7)
    project.set_registration("p", GivenRegistration(SHIFT, refine=True))
    pair = project.pair("p")
    assert pair.registration == GivenRegistration(SHIFT, refine=True)
    assert (pair.state, pair.verdict, pair.slice_pairs) == (PairState.ADDED, None, 0)
    project.set_registration("p", None)
    assert project.pair("p").registration is None


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (SHIFT[:15], "4 x 4"),
        ((np.nan, *SHIFT[1:]), "finite"),
        ((*SHIFT[:15], 2.0), "last row"),
        ((-1.0, *SHIFT[1:]), "mirrors"),
        ((0.0, *SHIFT[1:]), "flattens"),
    ],
)
def test_a_matrix_that_is_no_registration_is_refused(project, matrix, words):
    with pytest.raises(InvalidInput, match=words):
        project.set_registration("p", GivenRegistration(tuple(matrix)))
    assert project.pair("p").registration is None


def test_a_prepared_pair_is_judged_at_once(project):
    project.set_prepared("p", Verdict.LOOK, "half matching", {}, 7)
    project.overrule("p", Verdict.GOOD, "Dr. Ö")
    pair = project.pair("p")
    assert (pair.state, pair.verdict, pair.overruled) == (PairState.PREPARED, Verdict.GOOD, Verdict.GOOD)
    assert "Dr. Ö" in pair.reason
    assert "half matching" in pair.reason
    assert pair.slice_pairs == 7


def test_a_pair_is_set_aside_and_brought_back(project):
    project.set_prepared("p", Verdict.GOOD, "", {}, 7)
    project.overrule("p", Verdict.FAILED)
    pair = project.pair("p")
    assert (pair.state, pair.verdict, pair.slice_pairs) == (PairState.FAILED, Verdict.FAILED, 0)
    project.overrule("p", None)
    assert (project.pair("p").state, project.pair("p").overruled) == (PairState.ADDED, None)


def test_another_registration_forgets_the_word_on_the_one_before(project):
    project.overrule("p", Verdict.FAILED)
    project.set_registration("p", GivenRegistration(SHIFT))
    assert project.pair("p").overruled is None


def test_the_newest_decision_on_a_change_counts_and_can_be_taken_back(project):
    project.decide("p", "abc", Decision.ACCEPTED, "anna")
    project.decide("p", "def", Decision.CORRECTED)
    project.decide("p", "abc", Decision.REJECTED, "ben")
    project.decide("P", "def", None)
    assert project.decisions("p") == {"abc": Decision.REJECTED}


def test_every_word_on_a_registration_is_kept_with_who_and_when(project):
    project.set_registration("p", GivenRegistration(SHIFT), "anna")
    project.overrule("P", Verdict.LOOK, "ben")
    project.set_registration("p", None, "anna")
    rows = project._database.rows("SELECT * FROM by_hand ORDER BY number")
    assert [
        (row["pair"], row["registration"] is None, row["overruled"], row["annotator"]) for row in rows
    ] == [
        ("p", False, None, "anna"),
        ("p", False, "look", "ben"),
        ("p", True, None, "anna"),
    ]
    assert len({row["saved"] for row in rows}) == 3


def test_the_same_registration_again_has_the_pair_prepared_again(project):
    for _ in range(2):
        project.set_registration("p", GivenRegistration(SHIFT))
        assert project.pair("p").state is PairState.ADDED
        project.set_prepared("p", Verdict.LOOK, "", {}, 7)


def test_nobody_s_pair_is_named(project):
    for attempt in (
        lambda: project.decide("nobody", "abc", Decision.ACCEPTED),
        lambda: project.set_registration("nobody", None),
        lambda: project.overrule("nobody", Verdict.GOOD),
    ):
        with pytest.raises(InvalidInput, match="nobody"):
            attempt()


def test_a_file_of_the_first_version_keeps_its_pairs_and_learns_the_new(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("scan")
    folder = tmp_path / "old"
    folder.mkdir()
    database = Database(folder / "project.sqlite", temporary=True)
    schema.build(database, schema.MIGRATIONS[:1])
    with database.transaction() as connection:
        connection.execute("INSERT INTO meta VALUES ('classes', '[\"change\"]')")
        connection.execute(
            "INSERT INTO pairs (id, patient, baseline, followup, split, added) VALUES (?, ?, ?, ?, ?, ?)",
            ("p", "P", str(tmp_path / "a"), str(tmp_path / "b"), "pool", "2026"),
        )
    database.close()
    with Project.open(folder) as project:
        assert project.pair("p").registration is None
        project.overrule("p", Verdict.GOOD)
        assert project.pair("p").overruled is Verdict.GOOD
    assert (folder / "project.version1.sqlite").is_file()


def test_a_preparation_that_ends_later_does_not_overwrite_what_was_said(project):
    begun_as = project.pair("p")
    project.overrule("p", Verdict.FAILED, "anna")
    aside = project.pair("p")
    project.set_prepared("p", Verdict.LOOK, "half matching", {}, 7, begun_as)
    assert project.pair("p") == aside
    project.overrule("p", Verdict.GOOD)
    project.set_failed("p", "two patients?", {}, begun_as)
    assert project.pair("p").state is PairState.ADDED  # to be prepared, as the human says
    project.set_prepared("p", Verdict.LOOK, "half matching", {}, 7, begun_as)
    pair = project.pair("p")
    assert (pair.state, pair.verdict, pair.slice_pairs) == (PairState.PREPARED, Verdict.GOOD, 7)
    assert "half matching" in pair.reason
    project.set_registration("p", GivenRegistration(SHIFT))
    moved = project.pair("p")
    project.set_prepared("p", Verdict.GOOD, "", {}, 7, pair)
    assert project.pair("p") == moved
    project.set_prepared("p", Verdict.LOOK, "far", {}, 9, moved)
    assert project.pair("p").slice_pairs == 9
