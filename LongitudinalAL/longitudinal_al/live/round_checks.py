"""The check of the newest round: when it is due, its steps, and its figures in the project file."""

from __future__ import annotations

from typing import Any

from longitudinal_al.interruption import Interrupt
from longitudinal_al.live.checking import CheckPlan, check_round
from longitudinal_al.live.full_rounds import FullRounds
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.pausable import Pausable
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.undertaking import Begun, Publish, lesson_of_now
from longitudinal_al.project.records import Round
from longitudinal_al.protocol import EventKind


class RoundChecks:
    """Cross-validates the newest round, and compares its predictions with those of the round before.

    Parameters
    ----------
    knowledge : Knowledge
        Knows the rounds.
    full_rounds : FullRounds
        Knows what the newest has learned from, if it was trained here.
    settings, seed, publish
        As of the live loop.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        full_rounds: FullRounds,
        settings: LiveSettings,
        seed: int,
        publish: Publish,
    ) -> None:
        self._knowledge, self._full_rounds = knowledge, full_rounds
        self._settings, self._seed, self._publish = settings, seed, publish
        self._begun: Begun[dict[str, Any]] | None = None

    @property
    def going_on(self) -> bool:
        """Whether a check is half done."""
        return self._begun is not None

    def is_due(self) -> bool:
        """Tell whether the newest round was not checked yet."""
        rounds = self._knowledge.sight.rounds
        return bool(rounds) and "cv_patients" not in rounds[-1].figures

    def drop(self) -> None:
        """Give the check up; it begins anew when it is still due."""
        if self._begun:
            self._begun.work.drop()
        self._begun = None

    def step(self, interrupt: Interrupt) -> bool:
        """Check on; the figures of a finished check are written down."""
        newest = self._knowledge.sight.rounds[-1]
        self._begun = begun = self._begun or self._begin(newest, interrupt)
        if not begun.work.run(interrupt, self._settings.step_seconds):
            return True
        figures = begun.work.result
        self._begun = None
        self._knowledge.sight.add_figures(newest.number, figures)
        self._publish(EventKind.ROUND, {"number": newest.number, "figures": {**newest.figures, **figures}})
        return True

    def _begin(self, newest: Round, interrupt: Interrupt) -> Begun[dict[str, Any]]:
        number, lesson = self._full_rounds.learned_from or (0, None)
        if lesson is None or number != newest.number:
            lesson = lesson_of_now(self._knowledge, interrupt)
        models = [done.model for done in self._knowledge.sight.rounds[:-1] if done.model is not None]
        plan = CheckPlan(
            lesson=lesson,
            model=newest.model,
            before=models[-1] if models else None,
            settings=self._settings.check,
            slice_pairs=self._settings.agreement_slice_pairs,
            seed=self._seed,
        )
        return Begun(Pausable(lambda tick: check_round(plan, tick)), lesson)
