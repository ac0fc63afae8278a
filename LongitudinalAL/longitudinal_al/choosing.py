"""What to label next: score the unlabelled slice pairs of a pool, select a batch of them, and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.reasons import reasons
from longitudinal_al.acquisition.strategies import Needs, ScoreSource, Strategy
from longitudinal_al.evidence import Evidence
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Verdict
from longitudinal_al.scoring import NOTHING_KNOWN, Scored, compares_features, features_alone, score_rows

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
    given: Evidence = NOTHING_KNOWN,
    scorer: Callable[..., Scored] = score_rows,
) -> list[RankedSlicePair]:
    """Choose among the unlabelled slice pairs of a pool.

    No label and no reference is looked at, but those that are given: the selector only learns which slice
    pairs are labelled.

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
    given : Evidence
        What is known besides.
    scorer : callable
        `score_rows`, or what does the same elsewhere.

    Returns
    -------
    list of RankedSlicePair
        Best first.

    Raises
    ------
    NotReady
        When the strategy needs what is not there.
    """
    done = set(labelled)
    open_rows = [row for row in range(len(pool)) if row not in done]
    scored, known = _score_all(scorer, pool, wanted, networks, open_rows, labelled, seed, progress, given)
    candidates = Candidates(
        **columns_of(pool, open_rows),
        score=scored.score,
        features=scored.features,
        labelled=LabelledSlices(**columns_of(pool, labelled), features=known),
        **further_columns(pool, open_rows, scored, wanted, given),
    )

    def interrupt() -> None:
        progress("choosing", len(open_rows), len(open_rows))

    chosen = wanted.selector(
        candidates, batch, Neighbours(spacing_mm), np.random.default_rng(seed), interrupt
    )
    sentences = reasons(wanted, candidates, chosen, difference_places(pool)[open_rows])
    score = np.full(len(open_rows), np.nan) if wanted.score is ScoreSource.NONE else scored.score
    return [
        _entry(pool, open_rows[place], score[place], why)
        for place, why in zip(chosen, sentences, strict=True)
    ]


def _score_all(
    scorer: Callable[..., Scored],
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    open_rows: Sequence[int],
    labelled: Sequence[int],
    seed: int,
    progress: CountProgress,
    given: Evidence,
) -> tuple[Scored, np.ndarray | None]:
    """Score what is open; where features are compared, return those of the labelled slice pairs too."""
    compared = labelled if compares_features(wanted) else []
    total = len(open_rows) + len(compared)

    def count(done: int) -> None:
        progress("scoring", done, total)

    scored = scorer(pool, wanted, networks, open_rows, seed=seed, progress=count, given=given)
    if not compares_features(wanted):
        return scored, None
    known = scorer(
        pool,
        features_alone(wanted),
        networks,
        compared,
        seed=seed,
        progress=lambda done: count(len(open_rows) + done),
        given=given,
    )
    return scored, known.features


def further_columns(
    pool: Pool, rows: Sequence[int], scored: Scored, wanted: Strategy, given: Evidence
) -> dict[str, Any]:
    """Return what a selector sees of slice pairs besides where they lie, their scores and their features.

    A pair whose registration failed is not in the pool at all, unless a human had it prepared all the same:
    those that were let in with reservations are held back.
    """
    also = dict(scored.also)
    expected = also.get("predicted_change", np.zeros(len(rows)))
    wants_seconds = Needs.COST in wanted.needs and given.seconds is not None
    doubtful = {name for name, one in pool.pairs.items() if one.pair.overruled is Verdict.LOOK}
    return {
        **also,
        "difference": np.array([pool.entries[row].difference_score for row in rows], float),
        "seconds": given.seconds(rows, expected) if wants_seconds and given.seconds else None,
        "time_model": given.seconds.model.name if wants_seconds and given.seconds else "",
        "held_back": np.array([pool.entries[row].pair in doubtful for row in rows], bool),
        "round": given.round,
        "rounds": given.rounds,
    }


def difference_places(pool: Pool) -> np.ndarray:
    """Return the place of each slice pair's difference among its patient's, labelled or not.

    int64, (pool,): 1 is the largest, equals are in the order of the pool; 0 where there is no difference.
    """
    difference = np.nan_to_num(np.array([entry.difference_score for entry in pool.entries], float))
    places = np.zeros(len(pool), np.int64)
    seen: dict[str, int] = {}
    for row in np.argsort(-difference, kind="stable").tolist():
        if not difference[row] > 0:
            break
        patient = pool.entries[row].patient
        places[row] = seen[patient] = seen.get(patient, 0) + 1
    return places


def columns_of(pool: Pool, rows: Sequence[int]) -> dict[str, Any]:
    """Return where slice pairs lie, as `Candidates` and `LabelledSlices` ask for it."""
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
