"""The pairs of a project's file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.database import Database
from longitudinal_al.project.identifiers import check_pair_id
from longitudinal_al.project.records import GivenRegistration, Pair, PairState, Split, Verdict, utc_now
from longitudinal_al.project.stored_paths import read_path, stored_path

_PATHS = ("baseline", "followup", "reference", "reference_transform", "foreground", "foreground_transform")
_GIVEN = ("id", "patient", *_PATHS, "split")
_COLUMNS = ", ".join((*_GIVEN, "state", "verdict", "reason", "slice_pairs", "registration", "overruled"))
_INSERT = f"INSERT INTO pairs ({', '.join(_GIVEN)}, added) VALUES ({', '.join('?' * (len(_GIVEN) + 1))})"  # noqa: S608


def add_pairs(database: Database, folder: Path, pairs: Sequence[Pair]) -> int:
    """Add all pairs or none; pairs that are there already, and the same, are passed over.

    Returns the number of pairs that are new.
    """
    with database.transaction() as connection:
        return insert_pairs(connection, folder, pairs)


def insert_pairs(connection: sqlite3.Connection, folder: Path, pairs: Sequence[Pair]) -> int:
    """Do the same as `add_pairs` within a transaction of the caller."""
    known = _known(connection)
    splits = dict(connection.execute("SELECT patient, split FROM pairs"))
    new = 0
    for row in [_given(folder, pair) for pair in pairs]:
        _check_split(splits, row)
        if _is_known(known, row):
            continue
        connection.execute(_INSERT, (*row, utc_now().isoformat()))
        known[row[0].lower()] = row
        new += 1
    return new


def _given(folder: Path, pair: Pair) -> tuple[Any, ...]:
    check_pair_id(pair.id)
    if not pair.patient.strip():
        raise InvalidInput(f"pair {pair.id!r}: the patient is empty; give any name or number of the patient")
    paths = (getattr(pair, column) for column in _PATHS)
    stored = (None if path is None else stored_path(folder, path) for path in paths)
    return (pair.id, pair.patient, *stored, Split(pair.split).value)


def _known(connection: sqlite3.Connection) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute(f"SELECT {', '.join(_GIVEN)} FROM pairs")  # noqa: S608
    return {row["id"].lower(): tuple(row) for row in rows}


def _is_known(known: dict[str, tuple[Any, ...]], row: tuple[Any, ...]) -> bool:
    """Say whether the same pair is there already (a command that was stopped and run again)."""
    there = known.get(row[0].lower())
    if there is None:
        return False
    if there == row:
        return True
    raise InvalidInput(
        f"pair {row[0]!r} is in the project already, with other scans or another patient (as {there[0]!r}): "
        "names of pairs differ by more than upper and lower case; choose another name"
    )


def _check_split(splits: dict[str, str], row: tuple[Any, ...]) -> None:
    pair_id, patient, split = row[0], row[1], row[-1]
    if splits.setdefault(patient, split) != split:
        raise InvalidInput(
            f"pair {pair_id!r}: patient {patient!r} is in '{splits[patient]}' already; put all pairs of "
            "a patient into the same split, or the test says nothing about new patients"
        )


def read_pairs(database: Database, folder: Path, split: Split | None) -> list[Pair]:
    """Return the pairs in the order in which they were added."""
    where, parameters = ("", ()) if split is None else ("WHERE split = ?", (Split(split).value,))
    rows = database.rows(f"SELECT {_COLUMNS} FROM pairs {where} ORDER BY rowid", parameters)  # noqa: S608
    return [_pair(folder, row) for row in rows]


def read_pair(database: Database, folder: Path, pair_id: str) -> Pair:
    """Return one pair, or raise `InvalidInput` with the names of some that exist."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM pairs WHERE id = ?", (pair_id,))  # noqa: S608
    if not rows:
        raise unknown_pair(database, pair_id)
    return _pair(folder, rows[0])


def read_figures(database: Database, pair_id: str) -> dict[str, Any]:
    """Return the figures of a pair's preparation, as `outcomes.set_outcome` got them."""
    rows = database.rows("SELECT figures FROM pairs WHERE id = ?", (pair_id,))
    if not rows:
        raise unknown_pair(database, pair_id)
    return dict(json.loads(rows[0]["figures"]))


def unknown_pair(database: Database, pair_id: str) -> InvalidInput:
    """Say that there is no such pair, and name some that there are."""
    names = [row["id"] for row in database.rows("SELECT id FROM pairs ORDER BY rowid LIMIT 6")]
    known = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return InvalidInput(
        f"there is no pair {pair_id!r} in the project; it has: {known or 'none yet, add some'}"
    )


def _pair(folder: Path, row: sqlite3.Row) -> Pair:
    check_pair_id(row["id"])  # the name becomes a folder, and the file may come from elsewhere
    paths = {column: None if row[column] is None else read_path(folder, row[column]) for column in _PATHS}
    registration, overruled = said_by_hand(row)
    return Pair(
        id=row["id"],
        patient=row["patient"],
        **paths,  # type: ignore[arg-type]
        split=Split(row["split"]),
        state=PairState(row["state"]),
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        reason=row["reason"],
        slice_pairs=row["slice_pairs"],
        registration=registration,
        overruled=overruled,
    )


def _registration(text: str) -> GivenRegistration:
    stored = json.loads(text)
    return GivenRegistration(tuple(float(number) for number in stored["matrix"]), bool(stored["refine"]))


def said_by_hand(row: sqlite3.Row) -> tuple[GivenRegistration | None, Verdict | None]:
    """Return what a human said of a pair's registration and of its check."""
    return (
        None if row["registration"] is None else _registration(row["registration"]),
        None if row["overruled"] is None else Verdict(row["overruled"]),
    )
