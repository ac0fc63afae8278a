"""The labels of a project's file: only ever added, the newest of a slice pair counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.database import Database, damaged
from longitudinal_al.project.mask_coding import CodedMask, decode_mask, encode_mask
from longitudinal_al.project.pairs import unknown_pair
from longitudinal_al.project.records import Label, LabelVersion, utc_now

LARGEST_SLICE = 2**63 - 1
"""The largest number that SQLite can keep."""
_INSERT = """
    INSERT INTO labels (pair, slice, withdrawn, annotator, saved, started, ended, suggestion_shown, strategy,
                        score, rows, columns, coding, crc, mask)
    SELECT id, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM pairs WHERE id = ?"""

_VERSION = (
    "slice", "withdrawn", "annotator", "saved", "started", "ended", "suggestion_shown", "strategy", "score",
    "rows", "columns", "coding", "crc", "mask",
)  # fmt: skip
_INSERT_VERSION = (
    f"INSERT INTO labels (pair, {', '.join(_VERSION)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * (len(_VERSION) + 1))})"
)


def insert_label(database: Database, label: Label) -> None:
    """Save a label in a transaction of its own; when this returns, the label is on the disk."""
    mask = encode_mask(label.mask)
    values = (
        label.slice,
        label.annotator,
        _text(utc_now()),
        _text(label.started),
        _text(label.ended),
        int(label.suggestion_shown),
        label.strategy,
        None if label.score is None else float(label.score),
        mask.rows,
        mask.columns,
        mask.coding,
        mask.crc,
        mask.data,
        label.pair,
    )
    with database.transaction() as connection:
        added = connection.execute(_INSERT, values).rowcount
    if added < 1:
        raise unknown_pair(database, label.pair)


def insert_withdrawal(database: Database, pair: str, slice_index: int, annotator: str) -> None:
    """Withdraw the label of a slice pair; what was drawn stays in its history."""
    if not 0 <= slice_index <= LARGEST_SLICE:
        raise InvalidInput(f"pair {pair!r}, slice {slice_index} has no label to withdraw")
    with database.transaction() as connection:
        newest = connection.execute(
            "SELECT pair, withdrawn FROM labels WHERE pair = ? AND slice = ? ORDER BY number DESC LIMIT 1",
            (pair, slice_index),
        ).fetchone()
        if newest is None or newest["withdrawn"]:
            raise InvalidInput(f"pair {pair!r}, slice {slice_index} has no label to withdraw")
        connection.execute(
            "INSERT INTO labels (pair, slice, withdrawn, annotator, saved) VALUES (?, ?, 1, ?, ?)",
            (newest["pair"], slice_index, annotator, _text(utc_now())),
        )


def insert_version(connection: sqlite3.Connection, pair: str, row: sqlite3.Row) -> None:
    """Add a row of another project's labels as it is, as the newest of its slice pair."""
    connection.execute(_INSERT_VERSION, (pair, *(row[column] for column in _VERSION)))


def labelled(database: Database) -> set[tuple[str, int]]:
    """Return the slice pairs whose newest entry is a label."""
    rows = database.rows("SELECT pair, slice FROM newest WHERE NOT withdrawn")
    return {(row["pair"], row["slice"]) for row in rows}


def last_number(database: Database) -> int:
    """Return the number of what was saved or withdrawn last, 0 when there is nothing yet."""
    return int(database.value("SELECT COALESCE(MAX(number), 0) FROM labels"))


def changes_since(database: Database, number: int) -> dict[tuple[str, int], bool]:
    """Return the slice pairs saved or withdrawn after `number`, and whether each is labelled now."""
    rows = database.rows(
        "SELECT pair, slice, withdrawn, MAX(number) AS number FROM labels "
        "WHERE number > ? GROUP BY pair, slice ORDER BY number",
        (number,),
    )
    return {(row["pair"], row["slice"]): not row["withdrawn"] for row in rows}


def newest_labels(database: Database) -> list[Label]:
    """Return the newest label of every slice pair, withdrawn ones left out, by pair and slice."""
    rows = database.rows(
        "SELECT * FROM labels WHERE number IN (SELECT number FROM newest WHERE NOT withdrawn) "
        "ORDER BY pair, slice"
    )
    return [label_of(database.path, row) for row in rows]


def newest_label(database: Database, pair: str, slice_index: int) -> Label | None:
    """Return the label that counts for a slice pair, `None` when it has none or it was withdrawn."""
    rows = database.rows(
        "SELECT * FROM labels WHERE pair = ? AND slice = ? ORDER BY number DESC LIMIT 1", (pair, slice_index)
    )
    return None if not rows or rows[0]["withdrawn"] else label_of(database.path, rows[0])


def newest_number(database: Database, pair: str, slice_index: int) -> int:
    """Return the number of a slice pair's newest label or withdrawal, 0 when there is none."""
    question = "SELECT COALESCE(MAX(number), 0) FROM labels WHERE pair = ? AND slice = ?"
    return int(database.value(question, (pair, slice_index)))


def history(database: Database, pair: str, slice_index: int) -> list[LabelVersion]:
    """Return every version of a slice pair's label, the oldest first, withdrawals included."""
    rows = database.rows(
        "SELECT * FROM labels WHERE pair = ? AND slice = ? ORDER BY number", (pair, slice_index)
    )
    return [
        LabelVersion(
            number=row["number"],
            saved=datetime.fromisoformat(row["saved"]),
            annotator=row["annotator"],
            label=None if row["withdrawn"] else label_of(database.path, row),
        )
        for row in rows
    ]


def undecodable(database: Database) -> Iterator[str]:
    """Decode every mask ever saved, and yield a sentence for each that does not come back as it was."""
    for row in _each_mask(database):
        fault = _fault(row)
        if fault:
            yield f"label {row['number']} (pair {row['pair']!r}, slice {row['slice']}): damaged mask: {fault}"


def _fault(row: sqlite3.Row) -> str:
    try:
        decode_mask(_coded(row))
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _each_mask(database: Database) -> Iterable[sqlite3.Row]:
    """Go through the masks a few at a time: memory stays flat, and writers are not kept waiting."""
    last = 0
    while rows := database.rows(
        "SELECT number, pair, slice, rows, columns, coding, crc, mask FROM labels "
        "WHERE number > ? AND NOT withdrawn ORDER BY number LIMIT 500",
        (last,),
    ):
        yield from rows
        last = rows[-1]["number"]


def label_of(path: Path, row: sqlite3.Row) -> Label:
    """Return a row that is no withdrawal as a label; `path` is the file that it comes from."""
    try:
        mask = decode_mask(_coded(row))
    except (ValueError, TypeError) as error:
        raise damaged(path, f"mask of pair {row['pair']!r}, slice {row['slice']}: {error}") from error
    return Label(
        pair=row["pair"],
        slice=row["slice"],
        mask=mask,
        annotator=row["annotator"],
        started=datetime.fromisoformat(row["started"]),
        ended=datetime.fromisoformat(row["ended"]),
        suggestion_shown=bool(row["suggestion_shown"]),
        strategy=row["strategy"],
        score=row["score"],
    )


def _coded(row: sqlite3.Row) -> CodedMask:
    return CodedMask(row["rows"], row["columns"], row["coding"], row["crc"], row["mask"])


def _text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat()
