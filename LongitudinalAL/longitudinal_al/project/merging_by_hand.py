"""Bring what was said by hand in a copy of a project: on predicted changes, registrations and checks."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from longitudinal_al.project.by_hand import put_into_effect
from longitudinal_al.project.database import Database
from longitudinal_al.project.meeting import Meeting

Subject = tuple[str, ...]
"""What was spoken of: a pair in lower case, and a change of it."""


@dataclass(frozen=True)
class Disagreement:
    """Something of which the two projects say different things, independently of each other.

    `about` is the id of a predicted change, or "registration"; `here` and `there` are the annotators (empty
    where a version of the program that did not ask wrote it), `here_says` and `there_says` what they say, and
    `counts` is "here" or "there".
    """

    pair: str
    about: str
    here: str
    here_says: str
    there: str
    there_says: str
    counts: str


@dataclass(frozen=True)
class Said:
    """How much of what was said is new, and on what the two differ."""

    decisions: int
    registrations: int
    disagreements: list[Disagreement]


@dataclass(frozen=True)
class _Kind:
    """A table of what was said: the columns that name of what, and those that hold it."""

    table: str
    subject: tuple[str, ...]
    content: tuple[str, ...]
    in_words: Callable[[sqlite3.Row], str]


@dataclass(frozen=True)
class _Word:
    """A row of such a table."""

    row: sqlite3.Row
    kind: _Kind

    @property
    def content(self) -> tuple[object, ...]:
        return tuple(self.row[name] for name in self.kind.content)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.row["saved"], self.row["annotator"], *self.content)

    @property
    def age(self) -> tuple[datetime, str]:
        return datetime.fromisoformat(self.row["saved"]), str(self.key)


def _decision_in_words(row: sqlite3.Row) -> str:
    return str(row["decision"] or "taken back")


def _registration_in_words(row: sqlite3.Row) -> str:
    words = "registered by the program"
    if row["registration"] is not None:
        given = json.loads(row["registration"])
        shift = ", ".join(f"{given['matrix'][place]:.1f}" for place in (3, 7, 11))
        words = f"registered by hand (moved by {shift} mm{', then refined' if given['refine'] else ''})"
    return words if row["overruled"] is None else f"{words}, judged {row['overruled']!r}"


_DECISIONS = _Kind("decisions", ("pair", "change"), ("decision",), _decision_in_words)
_REGISTRATIONS = _Kind("by_hand", ("pair",), ("registration", "overruled"), _registration_in_words)
_NOTHING = (None, None)


def merge_by_hand(connection: sqlite3.Connection, theirs: Database, names: Mapping[str, str]) -> Said:
    """Add all that was said in another project, and have the pairs follow what counts.

    Parameters
    ----------
    connection
        The project that is written to, within a transaction of the caller.
    theirs
        The other project, of today's version.
    names
        Our names of the pairs, by the name in lower case.
    """
    decisions = _meetings(connection, theirs, _DECISIONS)
    registrations = _meetings(connection, theirs, _REGISTRATIONS)
    for met in (decisions, registrations):
        for (pair, *_), meeting in met.items():
            for word in meeting.to_add:
                _insert(connection, names[pair], word)
    for (pair,), meeting in registrations.items():
        so_far = meeting.ours[-1].content if meeting.ours else _NOTHING
        if meeting.winner.content != so_far:
            row = meeting.winner.row
            put_into_effect(connection, names[pair], row["registration"], row["overruled"], row["annotator"])
    return Said(
        decisions=sum(len(meeting.new) for meeting in decisions.values()),
        registrations=sum(len(meeting.new) for meeting in registrations.values()),
        disagreements=[
            _disagreement(names[pair], about, meeting)
            for met in (registrations, decisions)
            for (pair, *about), meeting in sorted(met.items())
            if meeting.is_independent and meeting.ours[-1].content != meeting.theirs[-1].content
        ],
    )


def _meetings(connection: sqlite3.Connection, theirs: Database, kind: _Kind) -> dict[Subject, Meeting[_Word]]:
    command = f"SELECT * FROM {kind.table} ORDER BY number"  # noqa: S608 - a fixed text of this module
    ours = _histories(connection.execute(command), kind)
    return {
        subject: Meeting(ours.get(subject, ()), words)
        for subject, words in _histories(theirs.rows(command), kind).items()
    }


def _histories(rows: Iterable[sqlite3.Row], kind: _Kind) -> Mapping[Subject, Sequence[_Word]]:
    """Return all that was said of each subject, oldest first."""
    found: dict[Subject, list[_Word]] = defaultdict(list)
    for row in rows:
        pair, *rest = (str(row[name]) for name in kind.subject)
        found[(pair.lower(), *rest)].append(_Word(row, kind))
    return found


def _insert(connection: sqlite3.Connection, pair: str, word: _Word) -> None:
    columns = (*word.kind.subject[1:], *word.kind.content, "annotator", "saved")
    command = (
        f"INSERT INTO {word.kind.table} (pair, {', '.join(columns)}) "  # noqa: S608 - fixed texts
        f"VALUES ({', '.join('?' * (len(columns) + 1))})"
    )
    connection.execute(command, (pair, *(word.row[name] for name in columns)))


def _disagreement(pair: str, about: Sequence[str], meeting: Meeting[_Word]) -> Disagreement:
    ours, theirs = meeting.ours[-1], meeting.theirs[-1]
    return Disagreement(
        pair=pair,
        about=about[0] if about else "registration",
        here=ours.row["annotator"],
        here_says=ours.kind.in_words(ours.row),
        there=theirs.row["annotator"],
        there_says=theirs.kind.in_words(theirs.row),
        counts="here" if meeting.winner is ours else "there",
    )
