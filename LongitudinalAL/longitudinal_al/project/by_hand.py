"""What a human says of a pair's registration and of its predicted changes; all of it is kept."""

from __future__ import annotations

import math
import sqlite3

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.database import Database
from longitudinal_al.project.files import json_text
from longitudinal_al.project.pairs import unknown_pair
from longitudinal_al.project.records import Decision, GivenRegistration, PairState, Verdict, utc_now

_SMALLEST_VOLUME = 1e-3
_TO_PREPARE = "state = 'added', verdict = NULL, reason = '', slice_pairs = 0"
_SET_ASIDE = "state = 'failed', verdict = 'failed', reason = ?, slice_pairs = 0"


def set_registration(
    database: Database, pair_id: str, given: GivenRegistration | None, annotator: str
) -> None:
    """Keep a registration by hand, and have the pair prepared again."""
    text = None
    if given is not None:
        _check_matrix(pair_id, given.matrix)
        text = json_text({"matrix": list(given.matrix), "refine": given.refine}, indent=None)
    with database.transaction() as connection:
        pair = _pair(database, pair_id)
        _insert(connection, pair["id"], text, None, annotator)
        put_into_effect(connection, pair["id"], text, None, annotator)


def _check_matrix(pair_id: str, matrix: tuple[float, ...]) -> None:
    where = f"registration of pair {pair_id!r}"
    if len(matrix) != 16 or not all(math.isfinite(number) for number in matrix):
        raise InvalidInput(f"{where}: give 4 x 4 finite numbers, row by row")
    if any(abs(a - b) > 1e-9 for a, b in zip(matrix[12:], (0, 0, 0, 1), strict=True)):
        raise InvalidInput(f"{where}: the last row is {matrix[12:]}, and has to be 0 0 0 1")
    (a, b, c), (d, e, f), (g, h, i) = matrix[0:3], matrix[4:7], matrix[8:11]
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < _SMALLEST_VOLUME:
        raise InvalidInput(f"{where}: it flattens or mirrors the scan; give a turn and a shift")


def overrule(database: Database, pair_id: str, verdict: Verdict | None, annotator: str) -> None:
    """Put a human's verdict above that of the check."""
    word = None if verdict is None else Verdict(verdict).value
    with database.transaction() as connection:
        pair = _pair(database, pair_id)
        _insert(connection, pair["id"], pair["registration"], word, annotator)
        put_into_effect(connection, pair["id"], pair["registration"], word, annotator)


def _pair(database: Database, pair_id: str) -> sqlite3.Row:
    rows = database.rows("SELECT id, registration FROM pairs WHERE id = ?", (pair_id,))
    if not rows:
        raise unknown_pair(database, pair_id)
    return rows[0]


def _insert(
    connection: sqlite3.Connection,
    pair_id: str,
    registration: str | None,
    overruled: str | None,
    annotator: str,
) -> None:
    """Add what counts for a pair from now on: both together, as a verdict is about one registration."""
    connection.execute(
        "INSERT INTO by_hand (pair, registration, overruled, annotator, saved) VALUES (?, ?, ?, ?, ?)",
        (pair_id, registration, overruled, annotator, utc_now().isoformat()),
    )


def put_into_effect(
    connection: sqlite3.Connection,
    pair_id: str,
    registration: str | None,
    overruled: str | None,
    annotator: str,
) -> None:
    """Have a pair follow what a human said of it.

    Parameters
    ----------
    connection
        Within a transaction of the caller.
    pair_id
        A pair that there is.
    registration, overruled
        What counts from now on, as the table `by_hand` has it.
    annotator
        Who said it.
    """
    facts = "SELECT state, reason, registration FROM pairs WHERE id = ?"
    before = connection.execute(facts, (pair_id,)).fetchone()
    keeps = registration == before["registration"]
    changes, values = _TO_PREPARE, []
    if overruled == Verdict.FAILED.value:
        changes, values = _SET_ASIDE, [f"set aside by {_who(annotator)}"]
    elif overruled is not None and keeps and before["state"] == PairState.PREPARED.value:
        reason = overruled_reason(Verdict(overruled), before["reason"], annotator)
        changes, values = "verdict = ?, reason = ?", [overruled, reason]
    command = f"UPDATE pairs SET registration = ?, overruled = ?, {changes} WHERE id = ?"  # noqa: S608 - fixed
    connection.execute(command, (registration, overruled, *values, pair_id))


def overruled_reason(verdict: Verdict, check: str, annotator: str = "") -> str:
    """Say who judged, and what the check had said."""
    return f"judged {verdict.value!r} by {_who(annotator)}; the check said: {check or 'nothing'}"


def _who(annotator: str) -> str:
    return annotator or "hand"


def insert_decision(
    database: Database, pair_id: str, change: str, decision: Decision | None, annotator: str
) -> None:
    """Write down what a human says of a predicted change."""
    values = (change, decision and decision.value, annotator, utc_now().isoformat(), pair_id)
    with database.transaction() as connection:
        added = connection.execute(
            "INSERT INTO decisions (pair, change, decision, annotator, saved) "
            "SELECT id, ?, ?, ?, ? FROM pairs WHERE id = ?",
            values,
        ).rowcount
    if added < 1:
        raise unknown_pair(database, pair_id)


def decisions(database: Database, pair_id: str) -> dict[str, Decision]:
    """Return the newest decision on each change of a pair, those taken back left out."""
    rows = database.rows(
        "SELECT change, decision, MAX(number) FROM decisions WHERE pair = ? GROUP BY change", (pair_id,)
    )
    return {row["change"]: Decision(row["decision"]) for row in rows if row["decision"] is not None}
