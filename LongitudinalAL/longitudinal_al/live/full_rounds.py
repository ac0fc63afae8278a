"""Full rounds: when one is due, its training from the pretrained weights, and writing it down."""

from __future__ import annotations

from collections.abc import Callable

from longitudinal_al.errors import ProjectBusy
from longitudinal_al.interruption import Interrupt
from longitudinal_al.lessons import Lesson, members_for
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.undertaking import Begun, Publish, begin_round, lesson_of_now
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.protocol import EventKind
from longitudinal_al.rounds import write_round

BUSY_SECONDS = 5.0
"""So long a finished round waits before it tries again to be written down, while another process writes."""


class FullRounds:
    """Trains rounds, one after the other.

    Parameters
    ----------
    knowledge : Knowledge
        What there is to learn from.
    settings, seed, publish, clock
        As of the live loop.

    Attributes
    ----------
    learned_from : tuple of int and Lesson, or None
        Number and lesson of the round that was written down last.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        settings: LiveSettings,
        seed: int,
        publish: Publish,
        clock: Callable[[], float],
    ) -> None:
        self._knowledge, self._settings = knowledge, settings
        self._seed, self._publish, self._clock = seed, publish, clock
        self._begun: Begun[list[ChangeNetwork]] | None = None
        self._blocked_until = float("-inf")
        self.learned_from: tuple[int, Lesson] | None = None

    @property
    def going_on(self) -> bool:
        """Whether a round is half trained."""
        return self._begun is not None

    @property
    def blocked(self) -> bool:
        """Whether another process wrote the project a moment ago, so that nothing can be written down."""
        return self._clock() < self._blocked_until

    def is_due(self) -> bool:
        """Tell whether enough labels are new since the newest round."""
        ranking, rounds = self._knowledge.ranking, self._knowledge.sight.rounds
        labels = int(ranking.labelled.sum()) if ranking else 0
        newest = rounds[-1] if rounds else None
        before = newest.labels if newest else 0
        known = newest.figures.get("last_label") if newest else 0
        new = self._knowledge.seen_label - known if isinstance(known, int) else labels - before
        new += self._knowledge.joined
        enough = max(self._settings.least_labels, self._settings.least_growth * before)
        return labels > 0 and new >= enough and self._knowledge.can_be_learned

    def drop(self) -> None:
        """Give the round up; it begins anew when it is still due."""
        if self._begun:
            self._begun.work.drop()
        self._begun = None

    def step(self, interrupt: Interrupt) -> bool:
        """Train on; a finished round is written down, or waits while another process writes the project."""
        self._begun = begun = self._begun or self._begin(interrupt)
        if begun is None:
            return False
        if not begun.work.run(interrupt, self._settings.step_seconds):
            return True
        project = self._knowledge.sight.project
        training = {"steps": self._settings.round.steps}
        try:
            with project.writer_lock("training"):
                done = write_round(project, begun.lesson, begun.work.result, self._seed, training)
        except ProjectBusy:
            self._blocked_until = self._clock() + BUSY_SECONDS
            return True
        self._begun = None
        self.learned_from = (done.number, begun.lesson)
        self._publish(EventKind.ROUND, {"number": done.number, "figures": done.figures})
        return True

    def _begin(self, interrupt: Interrupt) -> Begun[list[ChangeNetwork]] | None:
        lesson = lesson_of_now(self._knowledge, interrupt)
        if not lesson.masks:
            return None
        members = members_for(self._knowledge.wanted)
        return begin_round(lesson, self._settings.round, members, seed=self._seed, publish=self._publish)
