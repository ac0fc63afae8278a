"""What a human says of a pair's registration and of its predicted changes."""

from __future__ import annotations

import math

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.database import Database
from longitudinal_al.project.files import json_text
from longitudinal_al.project.pairs import unknown_pair
from longitudinal_al.project.records import Decision, GivenRegistration, Pair, PairState, Verdict, utc_now

_SMALLEST_VOLUME = 1e-3
_TO_PREPARE = "state = 'added', verdict = NULL, reason = '', slice_pairs = 0"


def set_registration(database: Database, pair_id: str, given: GivenRegistration | None) -> None:
    """Keep a registration by hand, and have the pair prepared again."""
    text = None
    if given is not None:
        _check_matrix(pair_id, given.matrix)
        text = json_text({"matrix": list(given.matrix), "refine": given.refine}, indent=None)
    _update(database, pair_id, f"registration = ?, overruled = NULL, {_TO_PREPARE}", (text,))


def _check_matrix(pair_id: str, matrix: tuple[float, ...]) -> None:
    where = f"registration of pair {pair_id!r}"
    if len(matrix) != 16 or not all(math.isfinite(number) for number in matrix):
        raise InvalidInput(f"{where}: give 4 x 4 finite numbers, row by row")
    if any(abs(a - b) > 1e-9 for a, b in zip(matrix[12:], (0, 0, 0, 1), strict=True)):
        raise InvalidInput(f"{where}: the last row is {matrix[12:]}, and has to be 0 0 0 1")
    (a, b, c), (d, e, f), (g, h, i) = matrix[0:3], matrix[4:7], matrix[8:11]
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < _SMALLEST_VOLUME:
        raise InvalidInput(f"{where}: it flattens or mirrors the scan; give a turn and a shift")


def overrule(database: Database, pair: Pair, verdict: Verdict | None, annotator: str) -> None:
    """Put a human's verdict above that of the check."""
    if verdict is Verdict.FAILED:
        changes = "state = 'failed', verdict = 'failed', reason = ?, slice_pairs = 0"
        _update(database, pair.id, f"overruled = 'failed', {changes}", (f"set aside by {_who(annotator)}",))
    elif verdict is not None and pair.state is PairState.PREPARED:
        reason = overruled_reason(verdict, pair.reason, annotator)
        _update(database, pair.id, "overruled = ?, verdict = ?, reason = ?", (verdict, verdict, reason))
    else:
        _update(database, pair.id, f"overruled = ?, {_TO_PREPARE}", (verdict,))


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


def _update(database: Database, pair_id: str, changes: str, values: tuple[str | Verdict | None, ...]) -> None:
    plain = tuple(value.value if isinstance(value, Verdict) else value for value in values)
    with database.transaction() as connection:
        command = f"UPDATE pairs SET {changes} WHERE id = ?"  # noqa: S608 - fixed texts of this module
        changed = connection.execute(command, (*plain, pair_id)).rowcount
    if not changed:
        raise unknown_pair(database, pair_id)
