"""The rounds of a project's file: each is written down once, when it is finished."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from longitudinal_al.errors import InvalidInput, ProjectBusy
from longitudinal_al.project.database import Database
from longitudinal_al.project.files import json_text
from longitudinal_al.project.records import Round
from longitudinal_al.project.stored_paths import read_path, stored_path


def next_number(database: Database) -> int:
    """Return the number of the round to come, counted from 1."""
    return int(database.value("SELECT COALESCE(MAX(number), 0) + 1 FROM rounds"))


def insert_round(database: Database, folder: Path, finished: Round) -> None:
    """Write down a finished round; its number has to be the next one."""
    values = (
        finished.number,
        finished.strategy,
        finished.seed,
        finished.labels,
        finished.started.astimezone(timezone.utc).isoformat(),
        finished.ended.astimezone(timezone.utc).isoformat(),
        None if finished.model is None else stored_path(folder, finished.model),
        json_text(finished.figures, indent=None),
    )
    with database.transaction() as connection:
        if connection.execute("SELECT 1 FROM rounds WHERE number >= ?", (finished.number,)).fetchone():
            raise ProjectBusy(
                f"{folder}: round {finished.number} was finished by another process meanwhile: train again"
            )
        connection.execute("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def add_figures(database: Database, number: int, figures: Mapping[str, Any]) -> None:
    """Add figures to those of a finished round; one of the same name is replaced, all others stay."""
    with database.transaction() as connection:
        row = connection.execute("SELECT figures FROM rounds WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise InvalidInput(f"{database.path}: there is no round {number} to add figures to")
        merged = {**json.loads(row["figures"]), **figures}
        connection.execute(
            "UPDATE rounds SET figures = ? WHERE number = ?", (json_text(merged, indent=None), number)
        )


def read_rounds(database: Database, folder: Path) -> list[Round]:
    """Return all rounds, the first one first."""
    return [_round(folder, row) for row in database.rows("SELECT * FROM rounds ORDER BY number")]


def _round(folder: Path, row: sqlite3.Row) -> Round:
    return Round(
        number=row["number"],
        strategy=row["strategy"],
        seed=row["seed"],
        labels=row["labels"],
        started=datetime.fromisoformat(row["started"]),
        ended=datetime.fromisoformat(row["ended"]),
        model=None if row["model"] is None else read_path(folder, row["model"]),
        figures=json.loads(row["figures"]),
    )
