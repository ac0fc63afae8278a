"""Bring what humans made in a copy of a project, another annotator's or elsewhere, into the project."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project import schema
from longitudinal_al.project.classes import read_classes
from longitudinal_al.project.database import Database
from longitudinal_al.project.label_meeting import LabelMeeting, Version
from longitudinal_al.project.labels import insert_version
from longitudinal_al.project.merging_by_hand import Disagreement, Said, merge_by_hand
from longitudinal_al.project.pairs import insert_pairs, read_pairs
from longitudinal_al.project.records import Pair
from longitudinal_al.project.same_scans import check_same_grid, check_same_pair

Histories = Mapping[tuple[str, int], Sequence[Version]]


@dataclass(frozen=True)
class Conflict:
    """A slice pair that was labelled differently in both projects, independently of each other.

    `here` and `there` are the annotators, `counts` is "here" or "there", and `dice` says how far the two
    agree (`None` where one of them withdrew the label).
    """

    pair: str
    slice: int
    here: str
    there: str
    counts: str
    dice: float | None


@dataclass(frozen=True)
class Merge:
    """What a merge brought.

    Attributes
    ----------
    pairs : list of str
        Pairs that are new.
    versions : int
        Versions of labels, and withdrawals, that are new.
    slice_pairs : int
        Slice pairs that are labelled now and were not before.
    both : int
        Slice pairs that were labelled in both projects, independently of each other.
    agreement : float or None
        Dice of all these labels together; 1 where none shows a change, `None` when there are none.
    conflicts : list of Conflict
        Slice pairs on which the two differ.
    decisions, registrations : int
        New decisions on predicted changes, and new registrations and verdicts by hand.
    disagreements : list of Disagreement
        Changes and registrations on which the two differ.
    """

    pairs: list[str]
    versions: int
    slice_pairs: int
    both: int
    agreement: float | None
    conflicts: list[Conflict]
    decisions: int
    registrations: int
    disagreements: list[Disagreement]


def merge(database: Database, folder: Path, source: Path) -> Merge:
    """Bring all that humans made in another project's file into a project; all is one transaction.

    Parameters
    ----------
    database, folder
        The project that is written to.
    source
        The file of the other project, which is only read.
    """
    with closing(Database(source)) as file, closing(file.snapshot()) as theirs:
        schema.bring_copy_up_to_date(theirs)
        _check_classes(database, theirs)
        other_pairs = read_pairs(theirs, source.parent, None)
        other = _histories(theirs.rows("SELECT * FROM labels ORDER BY number"), source)
        with database.transaction() as connection:
            ours = _histories(connection.execute("SELECT * FROM labels ORDER BY number"), database.path)
            new_pairs = _new_pairs(read_pairs(database, folder, None), other_pairs)
            check_same_grid(ours, other)
            insert_pairs(connection, folder, new_pairs)
            names = {row["id"].lower(): row["id"] for row in connection.execute("SELECT id FROM pairs")}
            meetings = {key: LabelMeeting(ours.get(key, ()), versions) for key, versions in other.items()}
            for (pair, _), meeting in meetings.items():
                _add(connection, names[pair], meeting)
            said = merge_by_hand(connection, theirs, names)
    named = {(names[pair], index): meeting for (pair, index), meeting in meetings.items()}
    return _report([pair.id for pair in new_pairs], named, said)


def _check_classes(ours: Database, theirs: Database) -> None:
    here, there = read_classes(ours), read_classes(theirs)
    if here != there:
        raise InvalidInput(
            f"{theirs.path.parent} has the classes {', '.join(there)}, {ours.path.parent} has "
            f"{', '.join(here)}: only projects with the same classes can be merged"
        )


def _histories(rows: Iterable[sqlite3.Row], file: Path) -> Histories:
    """Return the versions of each slice pair's label, oldest first, by (pair in lower case, slice)."""
    found: dict[tuple[str, int], list[Version]] = defaultdict(list)
    for row in rows:
        version = Version(row, file)
        found[version.pair, version.slice].append(version)
    return found


def _new_pairs(ours: Sequence[Pair], theirs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that only they have; those of one name have to be the same pair."""
    known = {pair.id.lower(): pair for pair in ours}
    for pair in theirs:
        if pair.id.lower() in known:
            check_same_pair(known[pair.id.lower()], pair)
    return [pair for pair in theirs if pair.id.lower() not in known]


def _add(connection: sqlite3.Connection, pair: str, meeting: LabelMeeting) -> None:
    for version in meeting.to_add:
        if not version.withdrawn:
            version.mask  # noqa: B018 - what is damaged there must not come here
        insert_version(connection, pair, version.row)


def _report(new_pairs: list[str], meetings: Mapping[tuple[str, int], LabelMeeting], said: Said) -> Merge:
    both = {key: meeting for key, meeting in meetings.items() if meeting.is_independent}
    drawn = [each for each in both.values() if not each.ours[-1].withdrawn and not each.theirs[-1].withdrawn]
    return Merge(
        pairs=new_pairs,
        versions=sum(len(meeting.new) for meeting in meetings.values()),
        slice_pairs=sum(meeting.is_newly_labelled for meeting in meetings.values()),
        both=len(drawn),
        agreement=_dice([(each.ours[-1].mask, each.theirs[-1].mask) for each in drawn]),
        conflicts=[conflict for key, each in sorted(both.items()) for conflict in _conflict(*key, each)],
        decisions=said.decisions,
        registrations=said.registrations,
        disagreements=said.disagreements,
    )


def _conflict(pair: str, slice_index: int, meeting: LabelMeeting) -> Iterable[Conflict]:
    """Yield the conflict, if it is one."""
    ours, theirs = meeting.ours[-1], meeting.theirs[-1]
    if ours.withdrawn and theirs.withdrawn:
        return
    dice = None
    if not ours.withdrawn and not theirs.withdrawn:
        if np.array_equal(ours.mask, theirs.mask):
            return
        dice = _dice([(ours.mask, theirs.mask)])
    counts = "here" if meeting.winner is ours else "there"
    yield Conflict(pair, slice_index, ours.annotator, theirs.annotator, counts, dice)


def _dice(masks: Sequence[tuple[np.ndarray, np.ndarray]]) -> float | None:
    """Return the Dice of pairs of masks (rows, columns) together: same class against all drawn."""
    if not masks:
        return None
    same = sum(int(np.count_nonzero((one == other) & (one > 0))) for one, other in masks)
    drawn = sum(int(np.count_nonzero(one)) + int(np.count_nonzero(other)) for one, other in masks)
    return 2 * same / drawn if drawn else 1.0
