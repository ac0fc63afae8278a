"""Ranking on: the model looks at more of the pool, and what is known is published now and then."""

from __future__ import annotations

from collections.abc import Callable

from longitudinal_al.interruption import Interrupt
from longitudinal_al.live.anytime import AnytimeRanking
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.publication import Publication
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.undertaking import Publish
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.protocol import EventKind


class RankingOn:
    """Scores and publishes; what is half scored is never lost, so there is nothing to drop.

    Parameters
    ----------
    knowledge : Knowledge
        Has the ranking.
    settings, seed, publish, clock
        As of the live loop.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        settings: LiveSettings,
        seed: int,
        publish: Publish,
        clock: Callable[[], float],
    ) -> None:
        self._knowledge, self._settings, self._seed = knowledge, settings, seed
        self._publish, self._clock = publish, clock
        self._publication: Publication | None = None
        self._published_at = float("-inf")
        self._publishing_seconds = 0.0
        self._head_is_new = False

    @property
    def going_on(self) -> bool:
        """Whether the model has not looked at everything, or what is known is not published."""
        ranking = self._knowledge.ranking
        return ranking is not None and (bool(ranking.waiting) or self._knowledge.unpublished)

    def drop(self) -> None:
        """Do nothing: what is scored stays scored."""

    def step(self, interrupt: Interrupt) -> bool:
        """Score on, and publish what is known."""
        ranking, sight = self._knowledge.ranking, self._knowledge.sight
        assert ranking is not None
        is_other = self._knowledge.labels_changed and ranking.presentable
        if is_other or not ranking.waiting or not sight.ranking_is_sound():
            self._publish_ranking(ranking, interrupt)
        end = self._clock() + self._settings.step_seconds
        while ranking.waiting:
            self._head_is_new |= not ranking.presentable
            ranking.score_chunk(self._settings.chunk, interrupt)
            self._knowledge.unpublished = True
            if not ranking.waiting or (ranking.presentable and self._is_time()):
                self._publish_ranking(ranking, interrupt)
            if self._clock() >= end:
                break
            interrupt()
        return True

    def _is_time(self) -> bool:
        """Tell whether to publish: the head of a new model at once, a large pool less often than a small."""
        pause = max(self._settings.publish_seconds, 10 * self._publishing_seconds)
        return self._head_is_new or self._clock() - self._published_at >= pause

    def _publish_ranking(self, ranking: AnytimeRanking, interrupt: Interrupt) -> None:
        if self._publication is None or self._publication.ranking is not ranking:
            self._publication = Publication(ranking, self._settings.spacing_mm, self._seed)
        knowledge, started = self._knowledge, self._clock()
        path = knowledge.model.path if knowledge.model else None
        model = path.relative_to(knowledge.folder).as_posix() if path else None
        head = self._publication.write(knowledge.folder, model, len(knowledge.sight.labelled), interrupt)
        knowledge.published()
        self._head_is_new = False
        self._published_at = self._clock()
        self._publishing_seconds = self._published_at - started
        told = {
            "path": ranking_path(knowledge.folder),
            "strategy": head.strategy,
            "labels": head.labels,
            "scored": head.scored,
            "total": head.total,
            "model": path,
        }
        self._publish(EventKind.RANKING, told)
