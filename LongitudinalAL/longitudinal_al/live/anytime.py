"""A ranking that is complete at every moment, and gets better the longer the network has looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np

from longitudinal_al.acquisition.candidates import UNUSABLE, Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.reasons import reasons
from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, ScoreSource, Strategy, cold_start_of
from longitudinal_al.choosing import columns_of, difference_places, further_columns
from longitudinal_al.evidence import Evidence, with_misalignment
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.scoring import NOTHING_KNOWN, Scored, compares_features, features_alone, score_rows

SELECT_FROM = 20_000
"""The selector chooses among so many, which keeps a publication cheap."""
DRAWN = 0.5
"""So large a part of them is drawn at random: what a selector takes at random has to come from everywhere."""
HEAD_DRAWN = 0.1
"""So large a part of what a new model looks at first is drawn at random."""
COMPARED_FIRST = 256
"""A new model looks at so many of the labelled slice pairs before the head; at the others after it."""
_LARGEST = float(np.finfo(np.float16).max)


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
        Scores and selects; as long as something is missing that it needs, it gives way to its cold start, or
        to the difference.
    batch : int
        So many entries at the head are chosen by the selector.
    spacing_mm : float
        Between labelled and chosen slices of a pair.
    head : int
        A new model looks at so many before its ranking is worth publishing.
    seed : int
        Of everything random.
    cold_start : Strategy, optional
        Acts as long as there is no model, instead of what the strategy itself names.
    """

    def __init__(
        self,
        pool: Pool,
        wanted: Strategy,
        *,
        batch: int,
        spacing_mm: float,
        head: int,
        seed: int,
        cold_start: Strategy | None = None,
    ) -> None:
        self.pool, self.wanted = pool, wanted
        self._first = cold_start or cold_start_of(wanted)
        self._batch, self._spacing_mm, self._head, self._seed = batch, spacing_mm, head, seed
        self._columns = columns_of(pool, range(len(pool)))
        self.difference = np.array([entry.difference_score for entry in pool.entries], dtype=float)
        self.difference_places = difference_places(pool)
        self.labelled = np.zeros(len(pool), dtype=bool)
        self.score = np.zeros(len(pool))
        self._model = np.zeros(len(pool), dtype=np.int64)  # number of the model that gave the score, 0: none
        self._features: np.ndarray | None = None
        self._also = {name: np.zeros(len(pool)) for name in wanted.also}
        self._chosen = np.zeros(0, dtype=np.int64)
        self._given = NOTHING_KNOWN
        self._networks: list[ChangeNetwork] = []
        self._newest = 0
        self._queue = np.zeros(0, dtype=np.int64)
        self._waiting_head = 0
        self._score_without_model()

    # What is learned about the pool

    def take_labels(self, labelled: Collection[tuple[str, int]]) -> None:
        """Take the labelled slice pairs as they are now."""
        rows = [self.pool.index[key] for key in labelled if key in self.pool.index]
        self.labelled[:] = False
        self.labelled[rows] = True
        self._line_up()

    def take_model(self, *networks: ChangeNetwork | None) -> None:
        """Take a new model, which has scored nothing yet; what others have scored keeps that until then.

        Several networks are an ensemble; None means that there is no model any more.
        """
        if Needs.MODEL not in self.wanted.needs:
            return
        self._networks = [network for network in networks if network is not None]
        self._given = replace(self._given, misalignment=None)
        self._newest += 1
        if not self._networks:
            self._model[:] = 0
        self._waiting_head = self._line_up()

    def take_evidence(self, given: Evidence) -> None:
        """Take what is known besides the images; what the contrastive encoders say stays as it is."""
        self._given = replace(given, contrast=self._given.contrast)

    def take_contrast(self, contrast: Contrast) -> None:
        """Take what the contrastive encoders say of the pool."""
        self._given = replace(self._given, contrast=lambda: contrast)
        self._score_without_model()
        self._waiting_head = self._line_up()

    @property
    def lacks_contrast(self) -> bool:
        """Whether what acts now, or should act, waits for the contrastive encoders."""
        first = None if self._networks else self._first
        acting = self.wanted.needs | (first.needs if first else Needs.NOTHING)
        return Needs.CONTRAST in acting and self._given.contrast is None

    def _score_without_model(self) -> None:
        """Score everything at once where no network has to look at it."""
        if Needs.MODEL not in self.wanted.needs and self._can_act(self.wanted):
            every = range(len(self.pool))
            self.score = score_rows(self.pool, self.wanted, [], every, given=self._given).score
            self._model[:] = self._newest = 1

    def _can_act(self, one: Strategy) -> bool:
        """Tell whether all is there that a strategy needs."""
        waits = Needs.CONTRAST in one.needs and self._given.contrast is None
        return not waits and (Needs.MODEL not in one.needs or bool(self._networks))

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
        if self._given.misalignment is None:
            self._given = with_misalignment(self._given, self.wanted, self._networks, self.pool, interrupt)
        found = score_rows(
            self.pool,
            self.wanted,
            self._networks,
            rows.tolist(),
            seed=self._seed,
            progress=lambda done: interrupt(),
            given=self._given,
        )
        self.score[rows] = found.score
        self._model[rows] = self._newest
        for name, column in found.also.items():
            self._also[name][rows] = column
        if found.features is not None:
            self._keep_features(rows, found.features)
        self._queue = self._queue[len(rows) :]
        self._waiting_head -= len(rows)

    def _keep_features(self, rows: np.ndarray, features: np.ndarray) -> None:
        if self._features is None or self._features.shape[1] != features.shape[1]:
            self._features = np.zeros((len(self.pool), features.shape[1]), np.float16)
        self._features[rows] = np.clip(features, -_LARGEST, _LARGEST)  # NaN stay, and are asked for last

    def _line_up(self) -> int:
        """Line up what the model has to look at, and return how much of it a first ranking needs.

        First labelled ones, where features are compared with theirs, but not more than `COMPARED_FIRST`: the
        time to a first ranking must not grow with what is labelled. Then the head, see `_head_of`; then the
        other labelled ones; then the rest, and there first what no model has looked at for longest.
        """
        if not self._networks or self.labelled.all() or not self._can_act(self.wanted):
            self._queue = self._queue[:0]
            return 0
        wanted = self._model < self._newest
        with_features = compares_features(self.wanted)
        compared = np.flatnonzero(wanted & self.labelled) if with_features else np.zeros(0, dtype=np.int64)
        every = -(-len(compared) // COMPARED_FIRST) or 1
        is_first = np.arange(len(compared)) % every == 0
        order = self._in_order(self._tiers())
        order = order[wanted[order]]
        head = self._head_of(order)
        rest = order[~np.isin(order, head)]
        rest = rest[np.argsort(self._model[rest], kind="stable")]
        self._queue = np.concatenate([compared[is_first], head, compared[~is_first], rest])
        return int(is_first.sum()) + len(head)

    def _head_of(self, order: np.ndarray) -> np.ndarray:
        """Return what a new model looks at first, of rows in the order of the present ranking.

        What was chosen with the model before, and what is highest by each number that the strategy looks at;
        a tenth is drawn at random, for what a selector leaves to chance.
        """
        chosen = self._chosen[np.isin(self._chosen, order)]
        columns = [order[np.argsort(-each[order], kind="stable")] for each in self._also.values()]
        in_turns = np.stack([order, *columns], axis=1)[: self._head].ravel()
        drawn = np.random.default_rng(self._seed).permutation(order)[: self._head]
        by_number = _first_of_each(np.concatenate([chosen, in_turns]))[: round((1 - HEAD_DRAWN) * self._head)]
        return _first_of_each(np.concatenate([by_number, drawn]))[: self._head]

    # How it is ordered

    def arrange(self, interrupt: Interrupt = never) -> Arrangement:
        """Order everything that is not labelled, the best first."""
        tiers = self._tiers()
        has_scores = bool((tiers == Tier.SCORED).any())
        acting = self.wanted if has_scores else self._for_now()
        chosen, why = self._choose(acting, tiers, interrupt)
        self._chosen = chosen
        tiers[chosen] = Tier.CHOSEN
        rest = self._in_order(tiers)
        rows = np.concatenate([chosen, rest[tiers[rest] != Tier.CHOSEN]])
        scored = int(np.count_nonzero(~self.labelled & (self._model == self._newest))) if has_scores else 0
        return Arrangement(rows, tiers[rows], why, acting.name, scored)

    def _for_now(self) -> Strategy:
        """Return what acts as long as the wanted strategy cannot."""
        first = self._first
        return first if first is not None and self._can_act(first) else STRATEGIES["difference"]

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
        instead = Needs.MODEL not in acting.needs and acting is not self.wanted
        rows = np.flatnonzero(~self.labelled & ((tiers == Tier.SCORED) | instead))
        generator = np.random.default_rng(self._seed)
        if len(rows) > SELECT_FROM:
            score = self.difference if instead else self.score
            if acting.score is ScoreSource.NONE:
                score = np.zeros(len(self.pool))
            columns = [score[rows], *(self._also[name][rows] for name in acting.also)]
            rows = rows[fewer(columns, SELECT_FROM, generator)]
        done = np.flatnonzero(self.labelled)
        found, known = self._found(acting, rows), self._found(features_alone(acting), done)
        candidates = Candidates(
            **self._of(rows),
            score=found.score,
            features=found.features,
            labelled=LabelledSlices(**self._of(done), features=known.features),
            **further_columns(self.pool, rows.tolist(), found, acting, self._given),
        )
        chosen = acting.selector(candidates, self._batch, Neighbours(self._spacing_mm), generator, interrupt)
        return rows[chosen], reasons(acting, candidates, chosen, self.difference_places[rows])

    def _found(self, acting: Strategy, rows: np.ndarray) -> Scored:
        """Return what is known of slice pairs: by the model, or at once where none is needed."""
        if Needs.MODEL not in acting.needs:
            return score_rows(self.pool, acting, [], rows.tolist(), given=self._given)
        features = self._features_of(rows) if compares_features(acting) else None
        return Scored(self.score[rows], features, {name: self._also[name][rows] for name in acting.also})

    def _features_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the features by the newest model, NaN where it has not looked yet: those of two differ."""
        if self._features is None:
            return None
        features = self._features[rows].astype(np.float32)
        features[self._model[rows] != self._newest] = np.nan
        return features

    def _of(self, rows: np.ndarray) -> dict[str, Any]:
        return {name: column[rows] for name, column in self._columns.items()}


def fewer(columns: Sequence[np.ndarray], count: int, generator: np.random.Generator) -> np.ndarray:
    """Choose some of many slice pairs, half by the highest of some numbers and half drawn from the others.

    Parameters
    ----------
    columns : sequence of numpy.ndarray
        Numbers of all of them, (n,) each, which have equal shares; those that are all the same have none.
    count : int
        How many, fewer than n.
    generator : numpy.random.Generator
        Draws.

    Returns
    -------
    numpy.ndarray
        Their places, int, (count,), in ascending order.
    """
    telling = [each for each in columns if (each != each[0]).any()]
    best = round((1 - DRAWN) * count) // max(len(telling), 1)
    is_best = np.zeros(len(columns[0]), bool)
    for each in telling:
        is_best[np.argpartition(-np.nan_to_num(each, nan=-np.inf), best)[:best]] = True
    drawn = generator.permutation(np.flatnonzero(~is_best))[: count - np.count_nonzero(is_best)]
    return np.sort(np.concatenate([np.flatnonzero(is_best), drawn]))


def _first_of_each(rows: np.ndarray) -> np.ndarray:
    """Return rows in their order, each where it comes first."""
    places = np.unique(rows, return_index=True)[1]
    return rows[np.sort(places)]
