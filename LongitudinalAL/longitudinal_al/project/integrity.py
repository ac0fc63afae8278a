"""Tell whether everything in the project's file can be read, and the files it speaks of are there."""

from __future__ import annotations

from pathlib import Path

from longitudinal_al.errors import ProjectDamaged
from longitudinal_al.project.database import Database
from longitudinal_al.project.labels import undecodable
from longitudinal_al.project.pairs import read_pairs
from longitudinal_al.project.records import PairState
from longitudinal_al.project.rounds import read_rounds


def problems(database: Database, folder: Path) -> list[str]:
    """Check the whole project and return a sentence for each problem, none when all is well."""
    try:
        found = _pages(database) or _references(database)
        return found + list(undecodable(database)) + _files(database, folder)
    except ProjectDamaged as error:
        return [str(error)]


def _pages(database: Database) -> list[str]:
    answers = [row[0] for row in database.rows("PRAGMA integrity_check(20)")]
    return [] if answers == ["ok"] else [f"{database.path}: {answer}" for answer in answers]


def _references(database: Database) -> list[str]:
    rows = database.rows("PRAGMA foreign_key_check")
    return [
        f"{database.path}: a row of {row['table']} names a missing one of {row['parent']}" for row in rows
    ]


def _files(database: Database, folder: Path) -> list[str]:
    found = []
    for pair in read_pairs(database, folder, None):
        if pair.state is PairState.PREPARED and not (folder / "pairs" / pair.id).is_dir():
            found.append(f"pair {pair.id!r}: its prepared folder is missing; run prepare to make it again")
        found += [
            f"pair {pair.id!r}: the {name} {path} is missing; put it back"
            for name, path in (("baseline", pair.baseline), ("follow-up", pair.followup))
            if not path.exists()
        ]
    found += [
        f"round {each.number}: its model {each.model} is missing; run train to make a new one"
        for each in read_rounds(database, folder)
        if each.model is not None and not each.model.exists()
    ]
    return found
