"""One arm of an experiment: a strategy, and what is special about its training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from longitudinal_al.acquisition.strategies import Strategy, strategy
from longitudinal_al.errors import InvalidInput
from longitudinal_al.network.training import TrainingSettings


@dataclass(frozen=True)
class Arm:
    """A way to spend labels, under a name of its own.

    Attributes
    ----------
    name : str
        In the results; for a plain strategy its text.
    strategy : str
        The strategy's text, such as "entropy" or "recipe:spacing=off".
    cold_start : str
        The text of the strategy that chooses the first batch where a model is needed; "" leaves it to the
        strategy or the experiment.
    training : mapping
        Fields of `TrainingSettings` that differ from the experiment's.
    """

    name: str
    strategy: str
    cold_start: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def plain(cls, text: str) -> Arm:
        """Return the arm of a strategy without anything special."""
        return cls(text, text)

    def check(self) -> None:
        """Raise `UnknownName` or `InvalidInput` when there is no such strategy or training setting."""
        self.wanted()
        if self.cold_start:
            strategy(self.cold_start)
        self.training_settings(TrainingSettings())

    def wanted(self) -> Strategy:
        """Return the strategy."""
        return strategy(self.strategy)

    def training_settings(self, common: TrainingSettings) -> TrainingSettings:
        """Return the experiment's training settings with this arm's own."""
        try:
            return replace(common, **self.training)
        except TypeError as error:
            raise InvalidInput(f"arm {self.name}: no such setting of training ({error})") from error

    @property
    def file_name(self) -> str:
        """The name with nothing in it that a file system refuses."""
        return re.sub(r"[^\w+.-]+", "_", self.name)
