"""What was measured of the strategies: their cost and their label efficiency, as shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("measured.json")
"""Written by `bench_selection.py --write` and `strategies_page.py --experiment` of `Testing/benchmarks`."""
NOT_MEASURED = "not measured"
FULL, SMALL = "typical", "typical-small"
"""Cohorts of the experiment in full, for the strategies that ran there, and of the small one, for all."""


@lru_cache(maxsize=1)
def measured() -> Mapping[str, Any]:
    """Return the figures: `seconds` by name, and `efficiency` by cohort and name; empty without any."""
    return dict(json.loads(MEASURED.read_text(encoding="utf-8"))) if MEASURED.is_file() else {}


def cost_in_words(name: str, figures: Mapping[str, Any] | None = None) -> str:
    """Return the seconds of processor per 1,000 slice pairs: score and choice, without passes of networks."""
    seconds = (measured() if figures is None else figures).get("seconds", {}).get(name)
    return NOT_MEASURED if seconds is None else f"{seconds:.2g} s"


def efficiency_in_words(name: str, cohort: str, figures: Mapping[str, Any] | None = None) -> str:
    """Return the area under the curve of lesion Dice, with its interval, and the share that does."""
    found = (measured() if figures is None else figures).get("efficiency", {}).get(cohort, {}).get(name)
    if found is None:
        return NOT_MEASURED
    share = "never" if found["reaches"] is None else f"{100 * found['reaches']:.1f} %"
    return f"{found['area']:.2f} [{found['low']:.2f}, {found['high']:.2f}]; {share}"
