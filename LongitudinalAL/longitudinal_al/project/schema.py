"""The tables of `project.sqlite`, and how an older file becomes one of today."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from longitudinal_al.errors import ProjectTooNew
from longitudinal_al.project.database import Database, damaged
from longitudinal_al.project.files import write_atomically

APPLICATION_ID = 0x4C414C70  # "LALp", so that a stranger's SQLite file is told from a project

Migration = Callable[[sqlite3.Connection], None]

_FIRST = (
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    )""",
    """
    CREATE TABLE pairs (
        id TEXT PRIMARY KEY COLLATE NOCASE,
        patient TEXT NOT NULL,
        baseline TEXT NOT NULL,
        followup TEXT NOT NULL,
        reference TEXT,
        reference_transform TEXT,
        foreground TEXT,
        foreground_transform TEXT,
        split TEXT NOT NULL CHECK (split IN ('pool', 'test')),
        state TEXT NOT NULL DEFAULT 'added' CHECK (state IN ('added', 'prepared', 'failed')),
        verdict TEXT CHECK (verdict IN ('good', 'look', 'failed')),
        reason TEXT NOT NULL DEFAULT '',
        figures TEXT NOT NULL DEFAULT '{}',
        slice_pairs INTEGER NOT NULL DEFAULT 0 CHECK (slice_pairs >= 0),
        added TEXT NOT NULL
    )""",
    """
    CREATE TABLE labels (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pair TEXT NOT NULL COLLATE NOCASE REFERENCES pairs (id),
        slice INTEGER NOT NULL CHECK (slice >= 0),
        withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
        annotator TEXT NOT NULL,
        saved TEXT NOT NULL,
        started TEXT,
        ended TEXT,
        suggestion_shown INTEGER,
        strategy TEXT,
        score REAL,
        rows INTEGER,
        columns INTEGER,
        coding TEXT,
        crc INTEGER,
        mask BLOB,
        CHECK (withdrawn = (mask IS NULL))
    )""",
    # Holds all that `labelled` and `status` ask for, so that they never read a mask.
    "CREATE INDEX labels_by_slice_pair ON labels (pair, slice, number, withdrawn)",
    # SQLite takes the other columns from the row that holds the maximum.
    """
    CREATE VIEW newest AS
    SELECT pair, slice, withdrawn, MAX(number) AS number FROM labels GROUP BY pair, slice""",
    """
    CREATE TRIGGER labels_are_never_changed BEFORE UPDATE ON labels
    BEGIN SELECT RAISE(ABORT, 'labels are never changed, only added'); END""",
    """
    CREATE TRIGGER labels_are_never_deleted BEFORE DELETE ON labels
    BEGIN SELECT RAISE(ABORT, 'labels are never deleted, only withdrawn'); END""",
    """
    CREATE TABLE rounds (
        number INTEGER PRIMARY KEY CHECK (number > 0),
        strategy TEXT,
        seed INTEGER NOT NULL,
        labels INTEGER NOT NULL,
        started TEXT NOT NULL,
        ended TEXT NOT NULL,
        model TEXT,
        figures TEXT NOT NULL
    )""",
)


def _first_schema(connection: sqlite3.Connection) -> None:
    for statement in _FIRST:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


_SECOND = (
    "ALTER TABLE pairs ADD COLUMN registration TEXT",
    "ALTER TABLE pairs ADD COLUMN overruled TEXT CHECK (overruled IN ('good', 'look', 'failed'))",
    """
    CREATE TABLE decisions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pair TEXT NOT NULL COLLATE NOCASE REFERENCES pairs (id),
        change TEXT NOT NULL,
        decision TEXT CHECK (decision IN ('accepted', 'corrected', 'rejected')),
        annotator TEXT NOT NULL,
        saved TEXT NOT NULL
    )""",
    "CREATE INDEX decisions_by_change ON decisions (pair, change, number)",
)


def _by_hand(connection: sqlite3.Connection) -> None:
    """Make room for what a human says of registrations and of predicted changes."""
    for statement in _SECOND:
        connection.execute(statement)


_THIRD = (
    """
    CREATE TABLE by_hand (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pair TEXT NOT NULL COLLATE NOCASE REFERENCES pairs (id),
        registration TEXT,
        overruled TEXT CHECK (overruled IN ('good', 'look', 'failed')),
        annotator TEXT NOT NULL,
        saved TEXT NOT NULL
    )""",
    "CREATE INDEX by_hand_by_pair ON by_hand (pair, number)",
    # Nobody wrote down before who said it and when. The same in all copies: a merge knows it again.
    """
    INSERT INTO by_hand (pair, registration, overruled, annotator, saved)
    SELECT id, registration, overruled, '', added FROM pairs
    WHERE registration IS NOT NULL OR overruled IS NOT NULL ORDER BY rowid""",
    *(
        f"""
    CREATE TRIGGER {table}_are_never_{past} BEFORE {act} ON {table}
    BEGIN SELECT RAISE(ABORT, 'rows of {table} are never {past}, only added'); END"""
        for table in ("by_hand", "decisions")
        for act, past in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
)


def _all_that_was_said(connection: sqlite3.Connection) -> None:
    """Keep every registration and verdict by hand, with who and when, as labels and decisions are kept."""
    for statement in _THIRD:
        connection.execute(statement)


# Entry k brings a file of version k to version k + 1. Entries are only ever added, never edited.
MIGRATIONS: tuple[Migration, ...] = (_first_schema, _by_hand, _all_that_was_said)


def file_version(database: Database) -> int:
    """Return the version of a project's file.

    Raises
    ------
    ProjectDamaged
        When the file is no SQLite file, or one of another program, or was cut to nothing.
    """
    version = int(database.value("PRAGMA user_version"))
    if database.value("PRAGMA application_id") != APPLICATION_ID or version < 1:
        raise damaged(database.path, "this is not the file of a LongitudinalAL project")
    return version


def build(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Give an empty file all tables of today."""
    _run(database, 0, migrations)


def bring_up_to_date(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Check the file's version and migrate an older one, keeping a copy of it as it was.

    Raises
    ------
    ProjectTooNew
        When the file was written by a newer version of the program; nothing is changed.
    """
    version = _known_version(database, len(migrations))
    if version < len(migrations):
        write_atomically(_copy_before(database.path, version), database.copy_to)
        _run(database, version, migrations)


def bring_copy_up_to_date(snapshot: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Do the same to a snapshot in memory: the file that it was taken of stays as it is."""
    _run(snapshot, _known_version(snapshot, len(migrations)), migrations)


def _known_version(database: Database, newest: int) -> int:
    version = file_version(database)
    if version > newest:
        raise ProjectTooNew(
            f"{database.path} was written by a newer version of LongitudinalAL (file version {version}, this "
            f"program knows up to {newest}): update LongitudinalAL, then open it again; nothing was "
            "changed"
        )
    return version


def _copy_before(path: Path, version: int) -> Path:
    return path.with_name(f"{path.stem}.version{version}{path.suffix}")


def _run(database: Database, version: int, migrations: Sequence[Migration]) -> None:
    """Run the missing migrations in one transaction: all of them, or the file stays as it was."""
    with database.transaction() as connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] != version:
            return  # another process was faster
        for migration in migrations[version:]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
