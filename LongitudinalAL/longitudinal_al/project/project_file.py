"""The one file of a project that cannot be made again: where it lies, how it begins, what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from longitudinal_al.errors import ProjectNotFound
from longitudinal_al.project import schema
from longitudinal_al.project.database import Database, damaged
from longitudinal_al.project.files import json_text
from longitudinal_al.project.records import utc_now

PROJECT_FILE = "project.sqlite"

_COUNTS = """
    SELECT COUNT(*) AS pairs,
           COUNT(DISTINCT patient) AS patients,
           COALESCE(SUM(slice_pairs), 0) AS slice_pairs,
           COALESCE(SUM(slice_pairs * (split = 'pool')), 0) AS pool_slice_pairs,
           (SELECT COUNT(*) FROM newest WHERE NOT withdrawn) AS labelled,
           (SELECT COUNT(*) FROM rounds) AS rounds,
           COALESCE(SUM(state = 'added'), 0) AS unprepared_pairs,
           COALESCE(SUM(verdict = 'look'), 0) AS look_pairs,
           COALESCE(SUM(state = 'failed'), 0) AS failed_pairs
    FROM pairs"""


def find_file(folder: Path) -> Path:
    """Return the file of the project in a folder; `ProjectNotFound` when there is none."""
    path = folder.resolve() / PROJECT_FILE
    if not path.is_file():
        raise ProjectNotFound(
            f"there is no project in {folder} (no {PROJECT_FILE}): give a project's folder, "
            f"or make one with: longitudinal-al create {folder}"
        )
    return path


def build_file(path: Path, classes: Sequence[str]) -> None:
    """Write the file of a project without pairs; it is thrown away if this process ends before that."""
    entries = {"classes": json_text(classes, indent=None), "created": utc_now().isoformat()}
    with closing(Database(path, temporary=True)) as database:
        schema.build(database)
        with database.transaction() as connection:
            connection.executemany("INSERT INTO meta VALUES (?, ?)", entries.items())


def quick_check(database: Database) -> None:
    """Refuse a file with a bad page before anything is written into it."""
    answer = database.value("PRAGMA quick_check(1)")
    if answer != "ok":
        raise damaged(database.path, answer.splitlines()[-1])


def counts(database: Database) -> dict[str, int]:
    """Count pairs, patients, slice pairs, labels, rounds and failures, in one query."""
    row = database.rows(_COUNTS)[0]
    return {key: row[key] for key in row.keys()}  # noqa: SIM118 (a Row iterates over its values)
