"""The newest ranking as the front end sees it: read when it changed, a few milliseconds at a time."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longitudinal_al.project.ranking_file import ranking_path

SPACING_MM = 5.0
"""Spacing of a ranking that does not name its own: nearer slices of one pair show nearly the same."""
BUDGET_SECONDS = 0.008
"""How long one look at the ranking may parse; the rest is done at the next looks."""
MAX_BYTES = 1 << 28
_AT_ONCE = 200
_ENTRIES = re.compile(r'"ranking"\s*:\s*\[')
_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Entry:
    """A slice pair that is asked for: by which strategy, with what score and why.

    `strategy` and `score` are `None` where nobody asked and the annotator chose freely.
    """

    pair: str
    slice: int
    patient: str = ""
    score: float | None = None
    reason: str = ""
    strategy: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Return what names the slice pair: its pair and its slice."""
        return self.pair, self.slice


@dataclass(frozen=True)
class Ranking:
    """Slice pairs in the order in which they are asked for, best first.

    Attributes
    ----------
    entries : tuple of Entry
        Best first.
    strategy : str
        What made the ranking.
    spacing_mm : float
        Slices of a pair that lie nearer to a labelled one are not asked for.
    thickness_mm : mapping of str to float
        Distance between neighbouring slices, by pair.
    complete : bool
        Whether every unlabelled slice pair of the pool is in it, and not only a batch.
    labels : int or None
        How many labels the ranking knew.
    scored : int or None
        How many entries were scored by a network.
    """

    entries: tuple[Entry, ...]
    strategy: str
    spacing_mm: float = SPACING_MM
    thickness_mm: Mapping[str, float] = field(default_factory=dict)
    complete: bool = True
    labels: int | None = None
    scored: int | None = None


class RankingReader:
    """Looks at a project's ranking file and reads it when it changed.

    Parameters
    ----------
    folder : Path
        The project's folder.
    budget_seconds : float
        How long one look may take for parsing.
    """

    def __init__(self, folder: Path, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._path = ranking_path(folder)
        self._budget = budget_seconds
        self._seen: tuple[int, ...] | None = None
        self._reading: Iterator[Ranking | None] | None = None

    def look(self) -> Ranking | None:
        """Return the ranking when a new one has been read since the last look, else `None`.

        A file that is missing, damaged or just being replaced gives `None`; nothing is ever raised. A large
        file is parsed over several looks, so that no look takes long.
        """
        if self._reading is None:
            self._begin()
        if self._reading is None:
            return None
        return self._go_on(self._reading)

    @property
    def is_reading(self) -> bool:
        """Whether a file is half read: look again soon."""
        return self._reading is not None

    def _begin(self) -> None:
        try:
            found = self._path.stat()
            facts = (found.st_mtime_ns, found.st_size, found.st_ino)
            if facts == self._seen or found.st_size > MAX_BYTES:
                return
            data = self._path.read_bytes()
        except OSError:  # not there, or replaced at this moment: the next look finds it
            return
        self._seen = facts
        self._reading = _parse(data)

    def _go_on(self, reading: Iterator[Ranking | None]) -> Ranking | None:
        end = time.perf_counter() + self._budget
        try:
            for ranking in reading:
                if ranking is not None:
                    self._reading = None
                    return ranking
                if time.perf_counter() >= end:
                    return None
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            pass  # damaged: it is made again, and then the file is another one
        self._reading = None
        return None


def _parse(data: bytes) -> Iterator[Ranking | None]:
    """Parse a ranking in small steps: yields `None` after each, and the ranking as the last."""
    text = data.decode("utf-8")
    start = _ENTRIES.search(text)
    if start is None:
        raise ValueError("no list of entries")
    raw: list[Any] = []
    place = _after_gap(text, start.end())
    while text[place : place + 1] != "]":  # a file that was cut ends in raw_decode
        value, place = _DECODER.raw_decode(text, place)
        raw.append(value)
        place = _after_gap(text, place)
        if len(raw) % _AT_ONCE == 0:
            yield None
    head = json.loads(text[: start.end()] + text[place:])
    strategy = str(head["strategy"])
    entries: list[Entry] = []
    for each in raw:
        entries.append(_entry(each, strategy))
        if len(entries) % _AT_ONCE == 0:
            yield None
    yield _ranking(head, strategy, tuple(entries))


def _after_gap(text: str, place: int) -> int:
    gap = _GAP.match(text, place)
    return gap.end() if gap else place


def _entry(raw: Mapping[str, Any], strategy: str) -> Entry:
    pair, index = raw["pair"], raw["slice"]
    if not isinstance(pair, str) or type(index) is not int or index < 0:
        raise ValueError("an entry names no slice pair")
    return Entry(
        pair=pair,
        slice=index,
        patient=str(raw.get("patient") or ""),
        score=_number(raw.get("score")),
        reason=str(raw.get("reason") or ""),
        strategy=str(raw.get("strategy") or strategy),
    )


def _ranking(head: Mapping[str, Any], strategy: str, entries: tuple[Entry, ...]) -> Ranking:
    spacing = _number(head.get("spacing_mm"))
    given = head.get("thickness_mm")
    thickness = given if isinstance(given, dict) else {}
    known = {str(pair): _number(value) for pair, value in thickness.items()}
    return Ranking(
        entries=entries,
        strategy=strategy,
        spacing_mm=SPACING_MM if spacing is None or spacing < 0 else spacing,
        thickness_mm={pair: value for pair, value in known.items() if value is not None and value > 0},
        complete="total" in head,
        labels=_count(head.get("labels")),
        scored=_count(head.get("scored")),
    )


def _number(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
