"""Comparing the two times of all slice pairs, for strategies that need no label: once, while nobody waits."""

from __future__ import annotations

from longitudinal_al.interruption import Interrupt
from longitudinal_al.live.knowledge import Knowledge
from longitudinal_al.live.pausable import Pausable
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.network.contrast_file import contrast_of_pool


class Comparing:
    """Trains the contrastive encoders, or reads what they said before, and hands it to what is known.

    Parameters
    ----------
    knowledge : Knowledge
        Has the pool, and gets the outcome.
    settings : LiveSettings
        As of the live loop.
    """

    def __init__(self, knowledge: Knowledge, settings: LiveSettings) -> None:
        self._knowledge, self._settings = knowledge, settings
        self._begun: Pausable[Contrast] | None = None

    @property
    def going_on(self) -> bool:
        """Whether it is half done."""
        return self._begun is not None

    def drop(self) -> None:
        """Give it up; it begins anew when it is still needed."""
        if self._begun:
            self._begun.drop()
        self._begun = None

    def step(self, interrupt: Interrupt) -> bool:
        """Go on; what is found is ranked by at once."""
        self._begun = begun = self._begun or self._begin()
        if begun.run(interrupt, self._settings.step_seconds):
            self._begun = None
            self._knowledge.take_contrast(begun.result)
        return True

    def _begin(self) -> Pausable[Contrast]:
        ranking, folder, how = self._knowledge.ranking, self._knowledge.folder, self._settings.contrast
        assert ranking is not None
        pool = ranking.pool
        return Pausable(
            lambda tick: contrast_of_pool(folder, pool, settings=how, progress=lambda share: tick())
        )
