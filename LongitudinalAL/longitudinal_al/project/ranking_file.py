"""The newest ranking of a project, so that a label can say what asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from longitudinal_al.project.files import json_text, read_json, write_json, write_text


@dataclass(frozen=True)
class Request:
    """What asked for a slice pair: a strategy, and the score it gave (`None` for strategies without one)."""

    strategy: str
    score: float | None


def ranking_path(folder: Path) -> Path:
    """Return where a project's newest ranking lies."""
    return folder / "rounds" / "ranking.json"


def write_ranking(
    folder: Path,
    strategy: str,
    seed: int,
    entries: Sequence[Mapping[str, Any]],
    *,
    spacing_mm: float | None = None,
    thickness_mm: Mapping[str, float] | None = None,
) -> None:
    """Write a batch, best first, in place of the ranking before; each entry has `pair`, `slice` and `score`.

    `spacing_mm` and `thickness_mm` are those of `RankingHead`, and are left out where they are not known.
    """
    known = {"spacing_mm": spacing_mm, "thickness_mm": thickness_mm}
    head = {"strategy": strategy, "seed": seed} | {
        key: fact for key, fact in known.items() if fact is not None
    }
    write_json(ranking_path(folder), {**head, "ranking": list(entries)}, within=folder)


@dataclass(frozen=True)
class RankingHead:
    """What a complete ranking says beside its entries.

    Attributes
    ----------
    strategy, seed : str, int
        What ordered it; an entry that something else has ordered names that itself.
    labels : int
        How many slice pairs were labelled.
    model : str or None
        The network's file, relative to the project's folder.
    spacing_mm : float
        Slices of a pair that lie nearer than this to a labelled one need not be asked for.
    thickness_mm : mapping of str to float
        Distance between neighbouring slices, by pair.
    scored, total : int
        How many entries the network has scored, and how many entries there are.
    written : datetime
        When.
    """

    strategy: str
    seed: int
    labels: int
    model: str | None
    spacing_mm: float
    thickness_mm: Mapping[str, float]
    scored: int
    total: int
    written: datetime


def write_complete_ranking(folder: Path, head: RankingHead, entries: Iterable[str]) -> None:
    """Write a ranking of everything that is not labelled, best first, in place of the one before.

    Parameters
    ----------
    folder : Path
        The project's folder.
    head : RankingHead
        What is said about all of it.
    entries : iterable of str
        Each is one entry as a JSON object: `pair`, `patient`, `slice`, `score`, `reason` and, where it is
        another than the head's, `strategy`. As text, since a hundred thousand are written every few seconds.
    """
    fields = {**asdict(head), "written": head.written.isoformat()}
    beginning = json_text(fields, indent=None).removesuffix("}")
    text = f'{beginning}, "ranking": [\n' + ",\n".join(entries) + "\n]}\n"
    write_text(ranking_path(folder), text, within=folder)


def ranking_is_sound(folder: Path) -> bool:
    """Tell whether there is a ranking, of whatever length, that is not damaged."""
    saved = read_json(ranking_path(folder))
    try:
        return isinstance(saved["strategy"], str) and all(
            isinstance(entry["pair"], str) and type(entry["slice"]) is int for entry in saved["ranking"]
        )
    except (TypeError, KeyError):
        return False


def request_for(folder: Path, pair: str, slice_index: int) -> Request | None:
    """Return what asked for a slice pair, `None` when the newest ranking does not hold it or is damaged."""
    saved = read_json(ranking_path(folder))
    try:
        for entry in saved["ranking"]:
            if entry["pair"].lower() == pair.lower() and entry["slice"] == slice_index:
                return Request(str(entry.get("strategy") or saved["strategy"]), entry["score"])
    except (TypeError, KeyError, AttributeError):
        return None
    return None
