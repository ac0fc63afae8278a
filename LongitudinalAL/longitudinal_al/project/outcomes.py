"""How the preparation of a pair went, as the project's file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from longitudinal_al.project.by_hand import overruled_reason
from longitudinal_al.project.database import Database
from longitudinal_al.project.files import json_text
from longitudinal_al.project.pairs import said_by_hand, unknown_pair
from longitudinal_al.project.records import Pair, PairState, Verdict


def set_outcome(
    database: Database,
    pair_id: str,
    state: PairState,
    verdict: Verdict | None,
    reason: str,
    figures: Mapping[str, Any],
    slice_pairs: int,
    begun_as: Pair | None = None,
) -> None:
    """Write down how the preparation of a pair went.

    With `begun_as`, the pair as it was when its preparation began, what a human said since counts more: a
    pair that was set aside or given another registration stays as it is, and a new verdict is kept.
    """
    with database.transaction() as connection:
        facts = "SELECT registration, overruled FROM pairs WHERE id = ?"
        now = connection.execute(facts, (pair_id,)).fetchone()
        if now is None:
            raise unknown_pair(database, pair_id)
        registration, overruled = said_by_hand(now)
        if begun_as is not None and (registration, overruled) != (begun_as.registration, begun_as.overruled):
            is_about_this = registration == begun_as.registration and state is PairState.PREPARED
            if not is_about_this or overruled in (None, Verdict.FAILED):
                return
            verdict, reason = overruled, overruled_reason(overruled, reason)
        values = (
            state.value,
            verdict and verdict.value,
            reason,
            json_text(figures, indent=None),
            slice_pairs,
        )
        connection.execute(
            "UPDATE pairs SET state = ?, verdict = ?, reason = ?, figures = ?, slice_pairs = ? WHERE id = ?",
            (*values, pair_id),
        )
