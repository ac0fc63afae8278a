"""Quick models: a few steps of training whenever labels have come, going on from the model before."""

from __future__ import annotations

from longitudinal_al.interruption import Interrupt
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.models import Model, live_model_path
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.undertaking import Begun, Publish, begin_training, lesson_of_now
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import save_networks


class QuickModels:
    """Trains one quick model after the other, and hands each to what is known.

    Parameters
    ----------
    knowledge : Knowledge
        Gets the models.
    settings, seed, publish
        As of the live loop.
    """

    def __init__(self, knowledge: Knowledge, settings: LiveSettings, seed: int, publish: Publish) -> None:
        self._knowledge, self._settings = knowledge, settings
        self._seed, self._publish = seed, publish
        self._begun: Begun[ChangeNetwork] | None = None

    @property
    def going_on(self) -> bool:
        """Whether a model is half trained."""
        return self._begun is not None

    def drop(self) -> None:
        """Give the model up; it begins anew while labels are not learned."""
        if self._begun:
            self._begun.work.drop()
        self._begun = None

    def step(self, interrupt: Interrupt) -> bool:
        """Train on; a model that is finished comes to nothing when a round meanwhile knows as many labels."""
        self._begun = begun = self._begun or self._begin(interrupt)
        if begun is None:
            return False
        if not begun.work.run(interrupt, self._settings.step_seconds):
            return True
        self._begun = None
        present = self._knowledge.model
        if present and present.last_label >= begun.lesson.last_label:
            return False
        path = live_model_path(self._knowledge.folder)
        self._knowledge.take_model(Model(begun.work.result, begun.lesson.last_label, path))
        save_networks([begun.work.result], path, within=self._knowledge.folder)
        return True

    def _begin(self, interrupt: Interrupt) -> Begun[ChangeNetwork] | None:
        start = self._knowledge.model.network if self._knowledge.model else None
        settings = self._settings.quick if start else self._settings.first
        lesson = lesson_of_now(self._knowledge, interrupt)
        if not lesson.masks:
            return None
        return begin_training(lesson, settings, seed=self._seed, publish=self._publish, start=start)
