"""Shares as people read them, the same in every table, page and sentence."""

from __future__ import annotations

NOTHING = "–"


def percent(share: float | None) -> str:
    """Return a share of 1 in per cent, such as `4.0 %`; a dash where there is none."""
    return NOTHING if share is None else f"{100 * share:.1f} %"
