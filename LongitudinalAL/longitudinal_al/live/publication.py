"""A ranking as it is published: a line for each slice pair, with the reason for its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from longitudinal_al.acquisition.sentences import difference_in_words
from longitudinal_al.acquisition.strategies import ScoreSource
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.live.anytime import AnytimeRanking, Arrangement, Tier
from longitudinal_al.project.ranking_file import RankingHead, write_complete_ranking
from longitudinal_al.project.records import utc_now

BY_DIFFERENCE = "difference"
Words = Callable[[int, float, int], str]
"""From an entry's row, score and place by score to its fields `score` and `reason`."""


class Publication:
    """Writes the rankings of one pool; what never changes about an entry is put into words once.

    Parameters
    ----------
    ranking : AnytimeRanking
        What is published.
    spacing_mm : float
        Of the ranking.
    seed : int
        Of the ranking.
    """

    def __init__(self, ranking: AnytimeRanking, spacing_mm: float, seed: int) -> None:
        self.ranking = ranking
        self._spacing_mm = spacing_mm
        self._seed = seed
        pool = ranking.pool
        names = {text: json.dumps(text) for entry in pool.entries for text in (entry.pair, entry.patient)}
        self._beginning = [
            f'{{"pair": {names[entry.pair]}, "patient": {names[entry.patient]}, "slice": {entry.slice}, '
            for entry in pool.entries
        ]
        self._difference = _differences(ranking)
        self._thickness = {name: pair.record.spacing_mm[0] for name, pair in pool.pairs.items()}

    def write(
        self, folder: Path, model: str | None, labels: int, interrupt: Interrupt = never
    ) -> RankingHead:
        """Write the ranking as it is now.

        Parameters
        ----------
        folder : Path
            The project's.
        model : str or None
            The network's file.
        labels : int
            How many slice pairs are labelled.
        interrupt : callable
            Called before the file is written; what it raises leaves the file before as it is.
        """
        arranged = self.ranking.arrange(interrupt)
        head = RankingHead(
            strategy=arranged.strategy,
            seed=self._seed,
            labels=labels,
            model=model,
            spacing_mm=self._spacing_mm,
            thickness_mm=self._thickness,
            scored=arranged.scored,
            total=len(arranged.rows),
            written=utc_now(),
        )
        entries = list(self._entries(arranged))
        interrupt()
        write_complete_ranking(folder, head, entries)
        return head

    def _entries(self, arranged: Arrangement) -> Iterator[str]:
        """Yield each entry as a JSON object; a hundred thousand take well under a second."""
        rows, beginning = arranged.rows.tolist(), self._beginning
        scores = self.ranking.usable_score()[arranged.rows]
        places = _places(scores, np.isin(arranged.tiers, (Tier.CHOSEN, Tier.SCORED))).tolist()
        shown = self.ranking.difference if arranged.strategy == BY_DIFFERENCE else self.ranking.usable_score()
        nothing = not arranged.scored or self._without_score
        nothing = nothing and arranged.strategy != BY_DIFFERENCE
        for reason, row in zip(arranged.reasons, rows, strict=False):
            score = "null" if nothing else _number(float(shown[row]))
            yield f'{beginning[row]}"score": {score}, "reason": {json.dumps(reason)}}}'
        words = self._words(arranged)
        tail = zip(rows, arranged.tiers.tolist(), scores.tolist(), places, strict=True)
        for row, tier, score, place in islice(tail, len(arranged.reasons), None):
            yield f"{beginning[row]}{words[tier](row, score, place)}}}"

    def _words(self, arranged: Arrangement) -> dict[int, Words]:
        """Return, for each tier, what gives an entry's score and reason."""
        scored = arranged.scored
        has_model = arranged.strategy != BY_DIFFERENCE and scored > 0
        difference = self._difference

        def by_score(row: int, score: float, place: int) -> str:
            if score == -math.inf:
                return '"score": null, "reason": "There is no usable score here."'
            return f'"score": {score:.6g}, "reason": "Place {place} of {scored} by the score of the model."'

        def by_earlier_score(row: int, score: float, place: int) -> str:
            because = "The score of an earlier model; the newest has not looked here yet."
            return f'"score": {_number(score)}, "reason": "{because}"'

        def by_difference(row: int, score: float, place: int) -> str:
            size = _number(float(self.ranking.difference[row]))
            if not has_model:
                return f'"score": {size}, "reason": "{difference[row]}."'
            because = f"{difference[row]}; the model has not looked here yet."
            return f'"score": {size}, "strategy": "{BY_DIFFERENCE}", "reason": "{because}"'

        def after_those_chosen(row: int, score: float, place: int) -> str:
            return f'"score": null, "reason": "{difference[row]}; others were chosen before it."'

        scored_now, scored_before = by_score, by_earlier_score
        if arranged.strategy == BY_DIFFERENCE:
            scored_now = scored_before = by_difference
        elif self._without_score:
            scored_now = scored_before = after_those_chosen
        return {
            Tier.SCORED: scored_now,
            Tier.SCORED_BEFORE: scored_before,
            Tier.NOT_SCORED: by_difference,
        }

    @property
    def _without_score(self) -> bool:
        return self.ranking.wanted.score is ScoreSource.NONE


def _number(value: float) -> str:
    """Return a number as JSON."""
    return f"{value:.6g}" if math.isfinite(value) else "null"


def _places(scores: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the place of each score among some of them, 1 is the highest; equals share a place."""
    ascending = np.sort(scores[among])
    return 1 + len(ascending) - np.searchsorted(ascending, scores, side="right")


def _differences(ranking: AnytimeRanking) -> list[str]:
    """Put the difference of each slice pair into words, by its place among those of the patient."""
    said = map(difference_in_words, ranking.difference_places.tolist())
    return [f"{words[:1].upper()}{words[1:]}" for words in said]
