"""What was said by hand in two copies of a project: all of it is kept, and the pairs follow what counts."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from longitudinal_al.project import by_hand, schema
from longitudinal_al.project.database import Database
from longitudinal_al.project.merging_by_hand import Disagreement
from longitudinal_al.project.records import Decision, GivenRegistration, Pair, PairState, Verdict
from longitudinal_al.project.store import Project

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SHIFT = (1.0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
OTHER_SHIFT = (1.0, 0, 0, -7, 0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 1)
Both = tuple[Project, Project]


class Clock:
    """The time of saving, a second later each time."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(by_hand, "utc_now", made)
    return made


@pytest.fixture
def both(tmp_path: Path, clock: Clock) -> Iterator[Both]:
    """Return a project with two prepared pairs and a decision, and a copy of it."""
    for name in "12":
        (tmp_path / name).write_text(name)
    with Project.create(tmp_path / "a") as ours:
        for name in "pq":
            ours.add_pairs([Pair(name, f"patient {name}", tmp_path / "1", tmp_path / "2")])
            ours.set_prepared(name, Verdict.LOOK, "half matching", {}, 7)
        ours.decide("p", "seen", Decision.ACCEPTED, "Abe")
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        with Project.open(tmp_path / "b") as theirs:
            yield ours, theirs


def rows(project: Project, table: str) -> list[tuple[object, ...]]:
    command = f"SELECT * FROM {table} ORDER BY number"
    return [tuple(row)[1:] for row in project._database.rows(command)]


def test_decisions_of_both_are_kept_and_the_latest_counts(both: Both) -> None:
    ours, theirs = both
    ours.decide("p", "one", Decision.ACCEPTED, "Abe")
    theirs.decide("p", "one", Decision.REJECTED, "Bea")
    theirs.decide("p", "two", Decision.CORRECTED, "Bea")
    theirs.decide("q", "one", Decision.REJECTED, "Bea")
    ours.decide("q", "one", Decision.REJECTED, "Abe")
    merged = ours.merge(theirs.folder)
    assert ours.decisions("p") == {
        "seen": Decision.ACCEPTED,
        "one": Decision.REJECTED,
        "two": Decision.CORRECTED,
    }
    assert (merged.decisions, merged.registrations, merged.versions) == (3, 0, 0)
    assert merged.disagreements == [
        Disagreement("p", "one", "Abe", "accepted", "Bea", "rejected", "there"),
    ], "the same said twice is none"
    kept = {row[1:4] for row in rows(ours, "decisions")}
    assert {("one", "accepted", "Abe"), ("one", "rejected", "Bea"), ("one", "rejected", "Abe")} <= kept


def test_the_later_word_counts_in_both_directions_and_merging_again_adds_nothing(both: Both) -> None:
    ours, theirs = both
    theirs.decide("p", "one", Decision.REJECTED, "Bea")
    theirs.set_registration("p", GivenRegistration(OTHER_SHIFT), "Bea")
    ours.decide("p", "one", Decision.ACCEPTED, "Abe")
    ours.set_registration("p", GivenRegistration(SHIFT), "Abe")
    for into, other in (both, both[::-1]):
        into.merge(other.folder)
        assert into.decisions("p")["one"] is Decision.ACCEPTED
        assert into.pair("p").registration == GivenRegistration(SHIFT)
        before = rows(into, "decisions"), rows(into, "by_hand")
        again = into.merge(other.folder)
        assert (again.decisions, again.registrations, again.disagreements) == (0, 0, [])
        assert (rows(into, "decisions"), rows(into, "by_hand")) == before


def test_a_decision_taken_back_in_the_copy_is_taken_back(both: Both, clock: Clock) -> None:
    """The copy knew it, so its word counts though its clock is late."""
    ours, theirs = both
    clock.now -= timedelta(days=400)
    theirs.decide("p", "seen", None, "Bea")
    merged = ours.merge(theirs.folder)
    assert ours.decisions("p") == {}
    assert merged.disagreements == []


def test_a_registration_by_hand_comes_and_the_pair_has_to_be_prepared_again(both: Both) -> None:
    ours, theirs = both
    theirs.set_registration("p", GivenRegistration(SHIFT, refine=True), "Bea")
    theirs.overrule("p", Verdict.GOOD, "Bea")
    merged = ours.merge(theirs.folder)
    pair = ours.pair("p")
    assert pair.registration == GivenRegistration(SHIFT, refine=True)
    assert (pair.overruled, pair.state, pair.slice_pairs) == (Verdict.GOOD, PairState.ADDED, 0)
    assert (merged.registrations, merged.disagreements) == (2, [])
    assert ours.pair("q").state is PairState.PREPARED, "nobody spoke of it"


def test_a_verdict_on_the_same_registration_counts_at_once(both: Both) -> None:
    ours, theirs = both
    theirs.overrule("p", Verdict.GOOD, "Bea")
    theirs.overrule("q", Verdict.FAILED, "Bea")
    ours.merge(theirs.folder)
    judged, aside = ours.pair("p"), ours.pair("q")
    assert (judged.state, judged.verdict, judged.slice_pairs) == (PairState.PREPARED, Verdict.GOOD, 7)
    assert "'good' by Bea" in judged.reason
    assert (aside.state, aside.reason, aside.slice_pairs) == (PairState.FAILED, "set aside by Bea", 0)


def test_two_registrations_of_one_pair_are_a_disagreement_and_both_are_kept(both: Both) -> None:
    ours, theirs = both
    ours.set_registration("p", GivenRegistration(SHIFT), "Abe")
    theirs.set_registration("p", GivenRegistration(OTHER_SHIFT, refine=True), "Bea")
    theirs.overrule("p", Verdict.LOOK, "Bea")
    merged = ours.merge(theirs.folder)
    assert merged.disagreements == [
        Disagreement(
            "p",
            "registration",
            "Abe",
            "registered by hand (moved by 5.0, 0.0, 0.0 mm)",
            "Bea",
            "registered by hand (moved by -7.0, 2.0, 0.0 mm, then refined), judged 'look'",
            "there",
        )
    ]
    assert ours.pair("p") == theirs.pair("p")
    assert len({row[1] for row in rows(ours, "by_hand")}) == 2


def test_where_ours_counts_the_pair_stays_prepared(both: Both) -> None:
    ours, theirs = both
    theirs.set_registration("p", GivenRegistration(SHIFT), "Bea")
    ours.overrule("p", Verdict.GOOD, "Abe")
    merged = ours.merge(theirs.folder)
    assert [each.counts for each in merged.disagreements] == ["here"]
    assert merged.disagreements[0].here_says == "registered by the program, judged 'good'"
    assert (ours.pair("p").state, ours.pair("p").registration) == (PairState.PREPARED, None)
    assert len(rows(ours, "by_hand")) == 3, "theirs is kept, and ours is the newest"


def test_a_new_pair_comes_with_what_was_said_of_it(both: Both, tmp_path: Path) -> None:
    ours, theirs = both
    theirs.add_pairs([Pair("New", "N", tmp_path / "1", tmp_path / "2")])
    theirs.set_registration("New", GivenRegistration(SHIFT), "Bea")
    theirs.decide("New", "one", Decision.REJECTED, "Bea")
    ours.merge(theirs.folder)
    assert ours.pair("new").registration == GivenRegistration(SHIFT)
    assert ours.decisions("new") == {"one": Decision.REJECTED}


def test_what_a_copy_of_an_older_version_holds_by_hand_is_taken(tmp_path: Path) -> None:
    """Version 2 said neither who nor when: it is older than all that was said since."""
    for name in "ab12":
        (tmp_path / name).mkdir() if name in "ab" else (tmp_path / name).write_text(name)
    text = by_hand.json_text({"matrix": list(SHIFT), "refine": False}, indent=None)
    database = Database(tmp_path / "a" / "project.sqlite", temporary=True)
    schema.build(database, schema.MIGRATIONS[:2])
    with database.transaction() as connection:
        connection.execute("INSERT INTO meta VALUES ('classes', '[\"change\"]')")
        connection.execute(
            "INSERT INTO pairs (id, patient, baseline, followup, split, added, registration) "
            "VALUES ('p', 'P', ?, ?, 'pool', ?, ?)",
            (str(tmp_path / "1"), str(tmp_path / "2"), NOON.isoformat(), text),
        )
    database.close()
    shutil.copy(tmp_path / "a" / "project.sqlite", tmp_path / "b")
    before = (tmp_path / "b" / "project.sqlite").read_bytes()
    with Project.open(tmp_path / "a") as ours:
        assert ours.merge(tmp_path / "b").registrations == 0, "both begin with the same"
        ours.set_registration("p", None, "Abe")
        assert ours.merge(tmp_path / "b").registrations == 0
        assert ours.pair("p").registration is None
    assert (tmp_path / "b" / "project.sqlite").read_bytes() == before
    with Project.create(tmp_path / "c") as fresh:
        assert fresh.merge(tmp_path / "b").registrations == 1
        assert fresh.pair("p").registration == GivenRegistration(SHIFT)


@pytest.mark.parametrize("table", ["decisions", "by_hand"])
def test_what_was_said_is_never_changed_or_deleted(both: Both, table: str) -> None:
    ours, _ = both
    ours.overrule("p", Verdict.GOOD, "Abe")
    for command in (f"UPDATE {table} SET annotator = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"), ours._database.transaction() as now:
            now.execute(command)
    assert rows(ours, table)
