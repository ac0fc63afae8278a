"""The newest ranking of a project, so that a label can say what asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longitudinal_al.project.files import read_json, write_json


@dataclass(frozen=True)
class Request:
    """What asked for a slice pair: a strategy, and the score it gave (`None` for strategies without one)."""

    strategy: str
    score: float | None


def ranking_path(folder: Path) -> Path:
    """Return where a project's newest ranking lies."""
    return folder / "rounds" / "ranking.json"


def write_ranking(folder: Path, strategy: str, seed: int, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a ranking, best first, in place of the one before; each entry has `pair`, `slice` and `score`."""
    write_json(ranking_path(folder), {"strategy": strategy, "seed": seed, "ranking": list(entries)})


def request_for(folder: Path, pair: str, slice_index: int) -> Request | None:
    """Return what asked for a slice pair, `None` when the newest ranking does not hold it or is damaged."""
    saved = read_json(ranking_path(folder))
    try:
        for entry in saved["ranking"]:
            if entry["pair"].lower() == pair.lower() and entry["slice"] == slice_index:
                return Request(str(saved["strategy"]), entry["score"])
    except (TypeError, KeyError, AttributeError):
        return None
    return None
