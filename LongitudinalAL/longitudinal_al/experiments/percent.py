"""Shares as people read them, the same in every table, page and sentence."""

from __future__ import annotations

from collections.abc import Iterable

NOTHING = "–"


def percent(share: float | None) -> str:
    """Return a share of 1 in per cent, such as `4.0 %`; a dash where there is none."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def head_of_shares(shares: Iterable[float]) -> list[str]:
    """Return the head, in Markdown, of a table with a row for each arm and a column for each share."""
    columns = [percent(share) for share in shares]
    return ["| arm | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
