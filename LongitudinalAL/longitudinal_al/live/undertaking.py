"""What the live loop undertakes, step by step, and how it begins trainings that can stand still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from longitudinal_al.errors import NotReady
from longitudinal_al.interruption import Interrupt
from longitudinal_al.lessons import Lesson, learn, learn_members, read_lesson
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.pausable import Pausable
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.protocol import EventKind

Publish = Callable[[EventKind, dict[str, Any]], None]
Result = TypeVar("Result")


class Undertaking(Protocol):
    """One of the things that the live loop does."""

    @property
    def going_on(self) -> bool:
        """Whether something is half done."""

    def step(self, interrupt: Interrupt) -> bool:
        """Go on for about a second, and tell whether it comes to something.

        When `interrupt` raises `Interrupted`, what is half done waits for the next step.
        """

    def drop(self) -> None:
        """Give up what is half done."""


@dataclass(frozen=True)
class Begun(Generic[Result]):
    """Work that is going on, and what it learns from."""

    work: Pausable[Result]
    lesson: Lesson


def lesson_of_now(knowledge: Knowledge, interrupt: Interrupt) -> Lesson:
    """Read all labels of this moment, and note when there is nothing to learn from."""
    if knowledge.ranking is None:
        raise NotReady(f"{knowledge.folder}: nothing is prepared yet; run `longitudinal-al prepare` first")
    lesson = read_lesson(knowledge.sight.project, knowledge.ranking.pool, interrupt, knowledge.note_once)
    if not lesson.masks:
        knowledge.fruitless_label = lesson.last_label
    return lesson


def begin_round(
    lesson: Lesson, settings: TrainingSettings, members: int, *, seed: int, publish: Publish
) -> Begun[list[ChangeNetwork]]:
    """Begin the training of one or more networks on a lesson, from the beginning."""

    def work(tick: Interrupt) -> list[ChangeNetwork]:
        return learn_members(
            lesson,
            settings,
            members,
            seed=seed,
            progress=lambda share: tick(),
            tell=lambda message: publish(EventKind.NOTE, {"message": message}),
        )

    return Begun(Pausable(work), lesson)


def begin_training(
    lesson: Lesson,
    settings: TrainingSettings,
    *,
    seed: int,
    publish: Publish,
    start: ChangeNetwork | None = None,
) -> Begun[ChangeNetwork]:
    """Begin a training on a lesson, from random weights or going on from another network."""

    def work(tick: Interrupt) -> ChangeNetwork:
        return learn(
            lesson,
            settings,
            seed=seed,
            start=start,
            progress=lambda share: tick(),
            tell=lambda message: publish(EventKind.NOTE, {"message": message}),
        )

    return Begun(Pausable(work), lesson)
