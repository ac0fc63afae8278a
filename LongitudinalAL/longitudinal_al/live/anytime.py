"""A ranking that is complete at every moment, and gets better the longer the network has looked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from longitudinal_al.acquisition.candidates import UNUSABLE, Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.reasons import reasons
from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, ScoreSource, Strategy
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.scoring import score_rows

SELECT_FROM = 20_000
"""The selector chooses among so many of the highest scores, which keeps a publication cheap."""
COMPARED_FIRST = 256
"""A new model looks at so many of the labelled slice pairs before the head; at the others after it."""


class Tier(IntEnum):
    """Where an entry's place comes from, the best first."""

    CHOSEN = 0
    SCORED = 1
    SCORED_BEFORE = 2
    NOT_SCORED = 3


@dataclass(frozen=True)
class Arrangement:
    """A complete ranking.

    Attributes
    ----------
    rows : numpy.ndarray
        Rows of the pool, best first, (n,).
    tiers : numpy.ndarray
        The `Tier` of each, (n,).
    reasons : list of str
        Of those chosen, which come first.
    strategy : str
        What chose them.
    scored : int
        How many the network has scored.
    """

    rows: np.ndarray
    tiers: np.ndarray
    reasons: list[str]
    strategy: str
    scored: int


class AnytimeRanking:
    """The slice pairs of a pool with what is known of each: labelled or not, its score and by which model.

    Parameters
    ----------
    pool : Pool
        What is ranked.
    wanted : Strategy
        Scores and selects; one that needs a model gives way to the difference until there is one.
    batch : int
        So many entries at the head are chosen by the selector.
    spacing_mm : float
        Between labelled and chosen slices of a pair.
    head : int
        A new model looks at so many before its ranking is worth publishing.
    seed : int
        Of everything random.
    """

    def __init__(
        self, pool: Pool, wanted: Strategy, *, batch: int, spacing_mm: float, head: int, seed: int
    ) -> None:
        self.pool, self.wanted = pool, wanted
        self._batch, self._spacing_mm, self._head, self._seed = batch, spacing_mm, head, seed
        entries = pool.entries
        self._columns = {
            "pair": np.array([entry.pair for entry in entries], dtype=np.str_),
            "patient": np.array([entry.patient for entry in entries], dtype=np.str_),
            "slice": np.array([entry.slice for entry in entries], dtype=np.int64),
            "position_mm": np.array([entry.position_mm for entry in entries], dtype=float),
        }
        self.difference = np.array([entry.difference_score for entry in entries], dtype=float)
        self.labelled = np.zeros(len(pool), dtype=bool)
        self.score = np.zeros(len(pool))
        self._model = np.zeros(len(pool), dtype=np.int64)  # number of the model that gave the score, 0: none
        self._features: np.ndarray | None = None
        self._networks: list[ChangeNetwork] = []
        self._newest = 0
        self._queue = np.zeros(0, dtype=np.int64)
        self._waiting_head = 0
        if Needs.MODEL not in wanted.needs:
            self.score = score_rows(pool, wanted, [], range(len(pool)), seed=seed).score
            self._model[:] = self._newest = 1

    # What is learned about the pool

    def take_labels(self, labelled: Collection[tuple[str, int]]) -> None:
        """Take the labelled slice pairs as they are now."""
        rows = [self.pool.index[key] for key in labelled if key in self.pool.index]
        self.labelled[:] = False
        self.labelled[rows] = True
        self._line_up()

    def take_model(self, network: ChangeNetwork | None) -> None:
        """Take a new model, which has scored nothing yet; what others have scored keeps that until then."""
        if Needs.MODEL not in self.wanted.needs:
            return
        self._networks = [] if network is None else [network]
        self._newest += 1
        if network is None:
            self._model[:] = 0
        elif Needs.FEATURES in self.wanted.needs and self._features is None:
            self._features = np.zeros((len(self.pool), network.features_size), np.float16)
        self._waiting_head = self._line_up()

    @property
    def waiting(self) -> int:
        """How many slice pairs the model has not looked at yet."""
        return len(self._queue)

    @property
    def presentable(self) -> bool:
        """Whether the model has seen enough for a first ranking of its own."""
        return self._waiting_head <= 0 or not len(self._queue)

    def score_chunk(self, count: int, interrupt: Interrupt) -> None:
        """Let the model look at the next few; when `interrupt` raises, these few are still to come."""
        rows = self._queue[:count]
        found = score_rows(
            self.pool,
            self.wanted,
            self._networks,
            rows.tolist(),
            seed=self._seed,
            progress=lambda done: interrupt(),
        )
        self.score[rows] = found.score
        self._model[rows] = self._newest
        if self._features is not None and found.features is not None:
            self._features[rows] = np.nan_to_num(found.features)
        self._queue = self._queue[len(rows) :]
        self._waiting_head -= len(rows)

    def _line_up(self) -> int:
        """Line up what the model has to look at, and return how much of it a first ranking needs.

        First labelled ones, where features are compared with theirs, but not more than `COMPARED_FIRST`: the
        time to a first ranking must not grow with what is labelled. Then the head of the present ranking in
        its order; then the other labelled ones; then the rest, and there first what no model has looked at
        for longest.
        """
        if not self._networks or self.labelled.all():
            self._queue = self._queue[:0]
            return 0
        wanted = self._model < self._newest
        with_features = Needs.FEATURES in self.wanted.needs
        compared = np.flatnonzero(wanted & self.labelled) if with_features else np.zeros(0, dtype=np.int64)
        every = -(-len(compared) // COMPARED_FIRST) or 1
        is_first = np.arange(len(compared)) % every == 0
        order = self._in_order(self._tiers())
        order = order[wanted[order]]
        head, rest = order[: self._head], order[self._head :]
        rest = rest[np.argsort(self._model[rest], kind="stable")]
        self._queue = np.concatenate([compared[is_first], head, compared[~is_first], rest])
        return int(is_first.sum()) + len(head)

    # How it is ordered

    def arrange(self, interrupt: Interrupt = never) -> Arrangement:
        """Order everything that is not labelled, the best first."""
        tiers = self._tiers()
        has_scores = bool((tiers == Tier.SCORED).any())
        acting = self.wanted if has_scores else STRATEGIES["difference"]
        chosen, why = self._choose(acting, tiers, interrupt)
        tiers[chosen] = Tier.CHOSEN
        rest = self._in_order(tiers)
        rows = np.concatenate([chosen, rest[tiers[rest] != Tier.CHOSEN]])
        scored = int(np.count_nonzero(~self.labelled & (self._model == self._newest))) if has_scores else 0
        return Arrangement(rows, tiers[rows], why, acting.name, scored)

    def _tiers(self) -> np.ndarray:
        tiers = np.full(len(self.pool), int(Tier.NOT_SCORED))
        tiers[self._model > 0] = Tier.SCORED_BEFORE
        if self._newest:
            tiers[self._model == self._newest] = Tier.SCORED
        tiers[self.labelled] = Tier.NOT_SCORED
        return tiers

    def _in_order(self, tiers: np.ndarray) -> np.ndarray:
        """Return the unlabelled rows by tier, then by score, then by difference."""
        rows = np.flatnonzero(~self.labelled)
        score = np.where(tiers[rows] == Tier.NOT_SCORED, 0.0, self.usable_score()[rows])
        keys = (rows, -np.nan_to_num(self.difference[rows]), -score, tiers[rows])
        return rows[np.lexsort(keys)]

    def usable_score(self) -> np.ndarray:
        """Return the scores, -inf where there is none that is a number, (pool,)."""
        usable = np.isfinite(self.score) & ((self.score != UNUSABLE) | (Needs.MODEL not in self.wanted.needs))
        return np.where(usable, self.score, -np.inf)

    def _choose(
        self, acting: Strategy, tiers: np.ndarray, interrupt: Interrupt
    ) -> tuple[np.ndarray, list[str]]:
        """Choose the head of the ranking; the labels themselves are never looked at."""
        by_difference = acting.score is ScoreSource.DIFFERENCE
        score = self.difference if by_difference else self.score
        rows = np.flatnonzero(~self.labelled & ((tiers == Tier.SCORED) | by_difference))
        if len(rows) > SELECT_FROM:
            best = np.argpartition(-np.nan_to_num(score[rows], nan=-np.inf), SELECT_FROM)[:SELECT_FROM]
            rows = np.sort(rows[best])
        done = np.flatnonzero(self.labelled)
        compare = Needs.FEATURES in acting.needs
        candidates = Candidates(
            **self._of(rows),
            score=score[rows],
            features=self._features_of(rows) if compare else None,
            labelled=LabelledSlices(**self._of(done), features=self._features_of(done) if compare else None),
        )
        generator = np.random.default_rng(self._seed)
        chosen = acting.selector(candidates, self._batch, Neighbours(self._spacing_mm), generator, interrupt)
        return rows[chosen], reasons(acting.name, candidates, chosen, self.difference[rows])

    def _features_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the features by the newest model, NaN where it has not looked yet: those of two differ."""
        if self._features is None:
            return None
        features = self._features[rows].astype(np.float32)
        features[self._model[rows] != self._newest] = np.nan
        return features

    def _of(self, rows: np.ndarray) -> dict[str, Any]:
        return {name: column[rows] for name, column in self._columns.items()}
