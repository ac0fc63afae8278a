"""What to label next: score the unlabelled slice pairs of a pool, select a batch of them, and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.reasons import reasons
from longitudinal_al.acquisition.strategies import Needs, ScoreSource, Strategy
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.scoring import Scored, score_rows

SPACING_MM = 5.0
"""Slices of one pair that lie nearer than this to a labelled one show nearly the same."""
CountProgress = Callable[[str, int, int], None]
"""Called with the phase, how many slice pairs are done, and how many there are; also to see who calls off."""


@dataclass(frozen=True)
class RankedSlicePair:
    """An entry of a ranking, best first."""

    pair: str
    patient: str
    slice: int
    score: float | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the entry, for JSON."""
        return asdict(self)


def not_counting(phase: str, done: int, total: int) -> None:
    """Report nothing."""


def acquire(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    labelled: Sequence[int],
    batch: int,
    *,
    spacing_mm: float,
    seed: int,
    progress: CountProgress = not_counting,
) -> list[RankedSlicePair]:
    """Choose among the unlabelled slice pairs of a pool.

    No label and no reference is looked at: only which slice pairs are labelled.

    Parameters
    ----------
    pool, wanted, networks, seed
        See `score_rows`.
    labelled : sequence of int
        Rows of the pool.
    batch : int
        How many; fewer come back when the pool has no more that are far enough apart.
    spacing_mm : float
        Smallest distance to labelled and chosen slices of the same pair; 0 switches this off.
    progress : callable
        See `CountProgress`; the phases are "scoring" and "choosing".

    Returns
    -------
    list of RankedSlicePair
        Best first.
    """
    done = set(labelled)
    open_rows = [row for row in range(len(pool)) if row not in done]
    scored, known = _score_all(pool, wanted, networks, open_rows, labelled, seed, progress)
    candidates = Candidates(
        **_columns(pool, open_rows),
        score=scored.score,
        features=scored.features,
        labelled=LabelledSlices(**_columns(pool, labelled), features=known),
    )

    def interrupt() -> None:
        progress("choosing", len(open_rows), len(open_rows))

    chosen = wanted.selector(
        candidates, batch, Neighbours(spacing_mm), np.random.default_rng(seed), interrupt
    )
    difference = np.array([pool.entries[row].difference_score for row in open_rows])
    sentences = reasons(wanted.name, candidates, chosen, difference)
    return [
        _entry(pool, open_rows[place], scored.score[place], why)
        for place, why in zip(chosen, sentences, strict=True)
    ]


def _score_all(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    open_rows: Sequence[int],
    labelled: Sequence[int],
    seed: int,
    progress: CountProgress,
) -> tuple[Scored, np.ndarray | None]:
    """Score what is open; where features are compared, return those of the labelled slice pairs too."""
    compared = labelled if Needs.FEATURES in wanted.needs else []
    total = len(open_rows) + len(compared)
    scored = score_rows(
        pool, wanted, networks, open_rows, seed=seed, progress=lambda count: progress("scoring", count, total)
    )
    if Needs.FEATURES not in wanted.needs:
        return scored, None
    features_alone = replace(wanted, score=ScoreSource.NONE)
    known = score_rows(
        pool,
        features_alone,
        networks,
        compared,
        seed=seed,
        progress=lambda count: progress("scoring", len(open_rows) + count, total),
    )
    return scored, known.features


def _columns(pool: Pool, rows: Sequence[int]) -> dict[str, Any]:
    entries = [pool.entries[row] for row in rows]
    return {
        "pair": np.array([entry.pair for entry in entries], dtype=np.str_),
        "patient": np.array([entry.patient for entry in entries], dtype=np.str_),
        "slice": np.array([entry.slice for entry in entries], dtype=np.int64),
        "position_mm": np.array([entry.position_mm for entry in entries], dtype=float),
    }


def _entry(pool: Pool, row: int, score: float, why: str) -> RankedSlicePair:
    entry = pool.entries[row]
    usable = float(score) if np.isfinite(score) else None
    return RankedSlicePair(entry.pair, entry.patient, entry.slice, usable, why)
