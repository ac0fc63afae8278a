"""The live loop: what the worker thinks about between requests, one bounded step after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from longitudinal_al.acquisition.strategies import Needs, strategy
from longitudinal_al.errors import Interrupted, NotReady, ProjectBusy
from longitudinal_al.lessons import Lesson, learn, read_lesson
from longitudinal_al.live.anytime import AnytimeRanking
from longitudinal_al.live.checking import CheckPlan, check_round
from longitudinal_al.live.models import Model, live_model_path, model_of_round
from longitudinal_al.live.pausable import Pausable
from longitudinal_al.live.publication import Publication
from longitudinal_al.live.schedule import MOVES, Situation, Thought, choose
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.sight import Sight
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Round
from longitudinal_al.protocol import EventKind
from longitudinal_al.rounds import write_round

Publish = Callable[[EventKind, dict[str, Any]], None]
Interrupt = Callable[[], None]
Result = TypeVar("Result")
BUSY_SECONDS = 5.0
"""So long a finished round waits before it tries again to be written down, while another process writes."""


@dataclass(frozen=True)
class Begun(Generic[Result]):
    """Work that is going on, and what it learns from."""

    work: Pausable[Result]
    lesson: Lesson


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
    clock : callable
        Seconds of a monotonic clock.

    Raises
    ------
    UnknownName
        When there is no such strategy.
    """

    def __init__(
        self,
        folder: Path,
        strategy_name: str,
        publish: Publish,
        seed: int = 0,
        *,
        settings: LiveSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.thought = Thought.IDLE
        self._strategy = strategy(strategy_name)
        self._publish, self._seed, self._clock = publish, seed, clock
        self._settings = settings or LiveSettings()
        self._sight = Sight(folder)
        self._ranking: AnytimeRanking | None = None
        self._publication: Publication | None = None
        self._model: Model | None = None
        self._learned = -1  # the label number up to which there is nothing to learn
        self._seen_label = self._seen_round = -1
        self._learning: Begun[ChangeNetwork] | None = None
        self._round: Begun[ChangeNetwork] | None = None
        self._check: Begun[dict[str, Any]] | None = None
        self._round_lesson: tuple[int, Lesson] | None = None
        self._unpublished = self._labels_changed = False
        self._published_at = self._blocked_until = float("-inf")
        self._publishing_seconds = 0.0
        self._later_since: float | None = None
        self._spent = dict.fromkeys(Thought, 0.0)
        self._do: dict[Thought, Callable[[Interrupt], None]] = {
            Thought.IDLE: lambda interrupt: None,
            Thought.LEARNING: self._learn,
            Thought.RANKING: self._rank,
            Thought.ROUND: self._train_round,
            Thought.CHECKING: self._check_round,
        }

    def step(self, interrupt: Interrupt) -> bool:
        """Think for about a second, and tell whether there is more to think about.

        `interrupt` is called often. When it raises `Interrupted`, what is half done waits for the next step;
        with any other error it is dropped. Nothing that was published or written down is touched either way.
        """
        interrupt()
        try:
            self._look()
        except ProjectBusy:
            return False  # another process writes; labels are not lost by looking a second later
        if self._ranking is None:
            return False
        thought = choose(self._situation())
        self._enter(thought)
        started = self._clock()
        try:
            self._do[thought](interrupt)
        except Interrupted:
            raise
        except BaseException:
            self.drop()
            raise
        finally:
            self._spent[thought] += self._clock() - started
        return thought is not Thought.IDLE

    def drop(self) -> None:
        """Give up what is half done; what it was needed for begins anew when it is still needed."""
        for begun in (self._learning, self._round, self._check):
            if begun is not None:
                begun.work.drop()
        self._learning = self._round = self._check = None
        self.thought = Thought.IDLE

    def close(self) -> None:
        """Stop thinking and close the project."""
        self.drop()
        self._sight.close()

    def _enter(self, thought: Thought) -> None:
        if thought not in MOVES[self.thought]:
            raise ValueError(f"the live loop cannot go from {self.thought.value} to {thought.value}")
        self.thought = thought
        labels, number = len(self._sight.labelled), len(self._sight.rounds)
        told = {
            Thought.LEARNING: ("training", f"Learning from {labels} labelled slice pairs."),
            Thought.RANKING: ("ranking", "Ranking the slice pairs that are not labelled."),
            Thought.ROUND: ("training", f"Training round {number + 1} on all labels."),
            Thought.CHECKING: ("checking", f"Checking round {number} on patients it has not learned from."),
        }.get(thought)
        if told:
            self._publish(EventKind.STATE, {"doing": told[0], "sentence": told[1]})

    # What has changed

    def _look(self) -> None:
        """See what is new in the project, and take it over."""
        self._sight.look(self._clock())
        if self._sight.pool is not (self._ranking.pool if self._ranking else None):
            self._take_pool()
        if self._ranking is None:
            return
        if self._sight.last_label != self._seen_label:
            self._seen_label = self._sight.last_label
            self._ranking.take_labels(self._sight.labelled)
            self._unpublished = self._labels_changed = True
            if not self._ranking.labelled.any():
                self._learned = self._seen_label
        rounds = [done for done in self._sight.rounds if done.model is not None]
        newest = rounds[-1].number if rounds else 0
        if newest != self._seen_round:
            self._take_round(rounds[-1] if rounds else None)
            self._seen_round = newest

    def _take_pool(self) -> None:
        """Begin a new ranking, as pairs were prepared, or prepared anew."""
        self.drop()
        pool, settings = self._sight.pool, self._settings
        self._ranking = self._publication = None
        self._round_lesson = None
        if pool is None:
            return
        self._ranking = AnytimeRanking(
            pool,
            self._strategy,
            batch=settings.batch,
            spacing_mm=settings.spacing_mm,
            head=settings.head,
            seed=self._seed,
        )
        self._publication = Publication(self._ranking, settings.spacing_mm, self._seed)
        self._seen_label = -1
        self._unpublished = True
        if self._model:
            self._take_model(self._model)

    def _take_round(self, newest: Round | None) -> None:
        """Go on from the newest round, unless the model at hand knows more labels.

        The first time, and without any round, from the quick model that an earlier worker has left.
        """
        for begun in (self._round, self._check):
            if begun:  # somebody has trained a round meanwhile
                begun.work.drop()
        self._round = self._check = None
        found: Model | None = None
        try:
            if newest is not None:
                found = model_of_round(newest)
            elif live_model_path(self.folder).is_file():
                path = live_model_path(self.folder)
                found = Model(load_networks(path)[0], -1, path)
        except NotReady as error:
            self._publish(EventKind.NOTE, {"message": f"{error}; a new one is learned meanwhile"})
        if found and (self._model is None or found.last_label >= self._model.last_label):
            self._take_model(found)

    def _take_model(self, model: Model) -> None:
        self._model = model
        if self._ranking is not None and self._ranking.labelled.any():
            self._learned = model.last_label
        if self._ranking is not None:
            self._ranking.take_model(model.network)
        self._unpublished = True
        self._spent = dict.fromkeys(Thought, 0.0)

    def _situation(self) -> Situation:
        assert self._ranking is not None
        now, later = self._clock(), self._later()
        if later is None:
            self._later_since = None
        elif self._later_since is None:
            self._later_since = now
        overdue = self._later_since is not None and now - self._later_since >= self._settings.patience_seconds
        quiet = now - self._sight.changed_at >= self._settings.quiet_seconds
        if later is Thought.ROUND and not (quiet or overdue or self._round):
            later = None
        return Situation(
            ranking_missing=not self._sight.ranking_is_sound(),
            unlearned=Needs.MODEL in self._strategy.needs and self._learned != self._seen_label,
            learning=self._learning is not None,
            has_model=self._model is not None,
            ranking_open=bool(self._ranking.waiting) or self._unpublished,
            ranked_seconds=self._spent[Thought.RANKING],
            later_seconds=self._spent[Thought.ROUND] + self._spent[Thought.CHECKING],
            later=later,
            overdue=overdue,
            turn_seconds=self._settings.turn_seconds,
        )

    def _later(self) -> Thought | None:
        """Return what is due when there is time for it; a round is checked before the next one begins."""
        if self._clock() < self._blocked_until:
            return None
        rounds = self._sight.rounds
        if rounds and not self._round and "cv_patients" not in rounds[-1].figures:
            return Thought.CHECKING
        return Thought.ROUND if self._round or self._round_is_due() else None

    def _round_is_due(self) -> bool:
        assert self._ranking is not None
        labels = int(self._ranking.labelled.sum())
        newest = self._sight.rounds[-1] if self._sight.rounds else None
        known = newest.figures.get("last_label") if newest else 0
        new = (
            self._seen_label - known if isinstance(known, int) else labels - (newest.labels if newest else 0)
        )
        before = newest.labels if newest else 0
        return labels > 0 and new >= max(self._settings.least_labels, self._settings.least_growth * before)

    # What is done about it

    def _rank(self, interrupt: Interrupt) -> None:
        """Score on, and publish what is known."""
        ranking, settings = self._ranking, self._settings
        assert ranking is not None
        is_other = self._labels_changed and ranking.presentable
        if is_other or not ranking.waiting or not self._sight.ranking_is_sound():
            self._publish_ranking()
        end = self._clock() + settings.step_seconds
        while ranking.waiting:
            was_presentable = ranking.presentable
            ranking.score_chunk(settings.chunk, interrupt)
            self._unpublished = True
            # A large pool is published less often, so that most of the time goes into scoring it.
            pause = max(settings.publish_seconds, 10 * self._publishing_seconds)
            is_time = self._clock() - self._published_at >= pause or not was_presentable
            if not ranking.waiting or (ranking.presentable and is_time):
                self._publish_ranking()
            if self._clock() >= end:
                return
            interrupt()

    def _publish_ranking(self) -> None:
        assert self._publication is not None
        started, path = self._clock(), self._model.path if self._model else None
        model = path.relative_to(self.folder).as_posix() if path else None
        head = self._publication.write(self.folder, model, len(self._sight.labelled))
        self._sight.published()
        self._unpublished = self._labels_changed = False
        self._published_at = self._clock()
        self._publishing_seconds = self._published_at - started
        self._publish(
            EventKind.RANKING,
            {
                "path": ranking_path(self.folder),
                "strategy": head.strategy,
                "labels": head.labels,
                "scored": head.scored,
                "total": head.total,
                "model": path,
            },
        )

    def _learn(self, interrupt: Interrupt) -> None:
        """Train a quick model, going on from the one before."""
        if self._learning is None:
            start = self._model.network if self._model else None
            settings = self._settings.quick if start else self._settings.first
            self._learning = self._begin_training(settings, start)
        begun = self._learning
        if not begun.work.run(interrupt, self._settings.step_seconds):
            return
        self._learning = None
        if self._model and self._model.last_label > begun.lesson.last_label:
            self.thought = Thought.IDLE  # a round was trained on request meanwhile, and knows more
            return
        path = live_model_path(self.folder)
        self._take_model(Model(begun.work.result, begun.lesson.last_label, path))
        save_networks([begun.work.result], path)

    def _begin_training(
        self, settings: TrainingSettings, start: ChangeNetwork | None
    ) -> Begun[ChangeNetwork]:
        assert self._ranking is not None
        lesson = read_lesson(self._sight.project, self._ranking.pool)
        work: Pausable[ChangeNetwork] = Pausable(
            lambda tick: learn(
                lesson,
                settings,
                seed=self._seed,
                start=start,
                progress=lambda share: tick(),
                tell=lambda message: self._publish(EventKind.NOTE, {"message": message}),
            )
        )
        return Begun(work, lesson)

    def _train_round(self, interrupt: Interrupt) -> None:
        """Train a full round, and write it down."""
        if self._round is None:
            self._round = self._begin_training(self._settings.round, None)
        begun = self._round
        if not begun.work.run(interrupt, self._settings.step_seconds):
            return
        given = {"seed": self._seed, "steps": self._settings.round.steps}
        try:
            with self._sight.project.writer_lock("train"):
                done = write_round(self._sight.project, begun.lesson, begun.work.result, given)
        except ProjectBusy:
            self._blocked_until = self._clock() + BUSY_SECONDS
            return
        self._round = None
        self._round_lesson = (done.number, begun.lesson)
        self._later_since = None
        self._publish(EventKind.ROUND, {"number": done.number, "figures": done.figures})

    def _check_round(self, interrupt: Interrupt) -> None:
        """Cross-validate the newest round, and compare its predictions with those of the round before."""
        newest = self._sight.rounds[-1]
        if self._check is None:
            self._check = self._begin_check(newest)
        if not self._check.work.run(interrupt, self._settings.step_seconds):
            return
        figures = self._check.work.result
        self._check = None
        self._later_since = None
        self._sight.add_figures(newest.number, figures)
        self._publish(EventKind.ROUND, {"number": newest.number, "figures": {**newest.figures, **figures}})

    def _begin_check(self, newest: Round) -> Begun[dict[str, Any]]:
        assert self._ranking is not None
        number, lesson = self._round_lesson or (0, None)
        if lesson is None or number != newest.number:
            lesson = read_lesson(self._sight.project, self._ranking.pool)
        models = [done.model for done in self._sight.rounds[:-1] if done.model is not None]
        plan = CheckPlan(
            lesson=lesson,
            model=newest.model,
            before=models[-1] if models else None,
            settings=self._settings.check,
            slice_pairs=self._settings.agreement_slice_pairs,
            seed=self._seed,
        )
        return Begun(Pausable(lambda tick: check_round(plan, tick)), lesson)
