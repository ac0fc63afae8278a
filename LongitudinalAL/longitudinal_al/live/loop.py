"""The live loop: what the worker thinks about between requests, one bounded step after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from longitudinal_al.acquisition.strategies import Strategy, beginning, strategy
from longitudinal_al.errors import Interrupted, ProjectBusy
from longitudinal_al.evidence import refuse_yardsticks
from longitudinal_al.interruption import Interrupt
from longitudinal_al.lessons import settings_for
from longitudinal_al.live.comparing import Comparing
from longitudinal_al.live.full_rounds import FullRounds
from longitudinal_al.live.knowledge import Knowledge, News
from longitudinal_al.live.models import Model
from longitudinal_al.live.quick_models import QuickModels
from longitudinal_al.live.ranking_on import RankingOn
from longitudinal_al.live.round_checks import RoundChecks
from longitudinal_al.live.schedule import MOVES, Situation, Thought, choose
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.undertaking import Publish, Undertaking
from longitudinal_al.protocol import EventKind


class LiveLoop:
    """Learns, ranks and checks by itself as labels arrive; to be used from one thread.

    Parameters
    ----------
    folder : Path
        The project's folder.
    strategy_name : str
        By which it ranks.
    publish : callable
        Takes what there is to say: an event's kind and its data. May be called from another thread.
    seed : int
        Of everything random.
    settings : LiveSettings, optional
        How it shares its time.
    spacing_mm : float, optional
        Instead of that of the settings.
    cold_start : str
        Instead of that of the settings: the strategy that ranks as long as there is no model.
    clock : callable
        Seconds of a monotonic clock.

    Raises
    ------
    UnknownName
        When there is no such strategy.
    NotReady
        When it can choose in simulations only.
    """

    def __init__(
        self,
        folder: Path,
        strategy_name: str,
        publish: Publish,
        seed: int = 0,
        *,
        settings: LiveSettings | None = None,
        spacing_mm: float | None = None,
        cold_start: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = settings or LiveSettings()
        if spacing_mm is not None:
            settings = replace(settings, spacing_mm=spacing_mm)
        if cold_start:
            settings = replace(settings, cold_start=cold_start)
        wanted = strategy(strategy_name)
        refuse_yardsticks(wanted)
        if settings.cold_start:
            refuse_yardsticks(beginning(settings.cold_start))
        settings = _with_what_is_asked(settings, wanted)
        if not wanted.minds_spacing:
            settings = replace(settings, spacing_mm=0.0)
        self.folder, self.thought = folder, Thought.IDLE
        self._settings, self._publish, self._clock = settings, publish, clock
        self._knowledge = Knowledge(folder, wanted, settings, seed, self._note)
        self._rounds = FullRounds(self._knowledge, settings, seed, publish, clock)
        self._checks = RoundChecks(self._knowledge, self._rounds, settings, seed, publish)
        self._undertakings: dict[Thought, Undertaking] = {
            Thought.LEARNING: QuickModels(self._knowledge, settings, seed, publish),
            Thought.RANKING: RankingOn(self._knowledge, settings, seed, publish, clock),
            Thought.COMPARING: Comparing(self._knowledge, settings),
            Thought.ROUND: self._rounds,
            Thought.CHECKING: self._checks,
        }
        self._due: Thought | None = None
        self._due_since = 0.0
        self._spent = dict.fromkeys(Thought, 0.0)
        self._spent_with: Model | None = None

    def step(self, interrupt: Interrupt) -> bool:
        """Think for about a second, and tell whether there is more to think about.

        `interrupt` is called often. When it raises `Interrupted`, what is half done waits for the next step;
        with any other error it is dropped. Nothing that was published or written down is touched either way.
        """
        try:
            interrupt()
            if not self._look(interrupt):
                return False
            thought = choose(self._situation())
            self._enter(thought)
            if thought is not Thought.IDLE:
                self._go_on(thought, interrupt)
        except Interrupted:
            raise
        except BaseException:
            self.drop()
            raise
        return thought is not Thought.IDLE

    def _go_on(self, thought: Thought, interrupt: Interrupt) -> None:
        started = self._clock()
        try:
            if not self._undertakings[thought].step(interrupt):
                self.thought = Thought.IDLE
        finally:
            self._spent[thought] += self._clock() - started

    def drop(self) -> None:
        """Give up what is half done; what it was needed for begins anew when it is still needed."""
        for undertaking in self._undertakings.values():
            undertaking.drop()
        self.thought = Thought.IDLE

    def close(self) -> None:
        """Stop thinking and close the project."""
        self.drop()
        self._knowledge.sight.close()

    def _look(self, interrupt: Interrupt) -> bool:
        """Take over what is new, drop what that makes useless, and tell whether there is a pool."""
        try:
            news = self._knowledge.look(self._clock(), interrupt)
        except ProjectBusy:
            return False  # another process writes; labels are not lost by looking a second later
        if News.POOL in news:
            self.drop()
            self._rounds.learned_from = None
        if News.ROUND in news:  # trained here, or by somebody meanwhile
            self._rounds.drop()
            self._checks.drop()
            self._undertakings[Thought.LEARNING].drop()  # what it goes on from is another one now
            self.thought = Thought.IDLE
        if self._knowledge.model is not self._spent_with:
            self._spent = dict.fromkeys(Thought, 0.0)
            self._spent_with = self._knowledge.model
        return self._knowledge.ranking is not None

    def _enter(self, thought: Thought) -> None:
        if thought not in MOVES[self.thought]:
            raise ValueError(f"the live loop cannot go from {self.thought.value} to {thought.value}")
        self.thought = thought
        labels, number = len(self._knowledge.sight.labelled), len(self._knowledge.sight.rounds)
        told = {
            Thought.LEARNING: (
                "training",
                f"Learning from {labels} labelled slice pair{'' if labels == 1 else 's'}.",
            ),
            Thought.RANKING: ("ranking", "Ranking the slice pairs that are not labelled."),
            Thought.COMPARING: ("ranking", "Comparing the two times of all slice pairs, which is done once."),
            Thought.ROUND: ("training", f"Training round {number + 1} on all labels."),
            Thought.CHECKING: ("checking", f"Checking round {number} on patients it has not learned from."),
        }.get(thought)
        if told:
            self._publish(EventKind.STATE, {"doing": told[0], "sentence": told[1]})

    def _situation(self) -> Situation:
        knowledge, later = self._knowledge, self._later()
        return Situation(
            ranking_missing=not knowledge.sight.ranking_is_sound(),
            unlearned=knowledge.unlearned,
            learning=self._undertakings[Thought.LEARNING].going_on,
            has_model=knowledge.model is not None,
            ranking_open=self._undertakings[Thought.RANKING].going_on,
            ranked_seconds=self._spent[Thought.RANKING],
            later_seconds=self._spent[Thought.ROUND] + self._spent[Thought.CHECKING],
            later=later if self._overdue or self._may_begin(later) else None,
            overdue=self._overdue,
            comparing=knowledge.lacks_contrast,
            turn_seconds=self._settings.turn_seconds,
        )

    def _later(self) -> Thought | None:
        """Return what is due when there is time for it, and note since when.

        A round is checked before the next one begins.
        """
        due: Thought | None = None
        if not self._rounds.blocked:
            if self._checks.is_due() and not self._rounds.going_on:
                due = Thought.CHECKING
            elif self._rounds.going_on or self._rounds.is_due():
                due = Thought.ROUND
        if due is not self._due:
            self._due, self._due_since = due, self._clock()
        return due

    @property
    def _overdue(self) -> bool:
        waited = self._clock() - self._due_since
        return self._due is not None and waited >= self._settings.patience_seconds

    def _may_begin(self, later: Thought | None) -> bool:
        """Tell whether it may go on now: a round does not begin while labels come."""
        quiet = self._clock() - self._knowledge.sight.changed_at >= self._settings.quiet_seconds
        return later is not Thought.ROUND or quiet or self._rounds.going_on

    def _note(self, message: str) -> None:
        self._publish(EventKind.NOTE, {"message": message})


def _with_what_is_asked(settings: LiveSettings, wanted: Strategy) -> LiveSettings:
    """Return settings by which networks learn what the strategy asks them."""
    return replace(
        settings,
        first=settings_for(wanted, settings.first),
        quick=settings_for(wanted, settings.quick),
        round=settings_for(wanted, settings.round),
    )
