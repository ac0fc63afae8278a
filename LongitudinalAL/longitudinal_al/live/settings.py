"""How the live loop shares its time."""

from __future__ import annotations

from dataclasses import dataclass, field

from longitudinal_al.choosing import SPACING_MM
from longitudinal_al.network.contrast import ContrastSettings
from longitudinal_al.network.training import TrainingSettings


def _short(steps: int) -> TrainingSettings:
    """Return a training on the labels alone: nothing is painted, which would take longer than it does."""
    return TrainingSettings(steps=steps, pretraining=0, rehearsal=0)


@dataclass(frozen=True)
class LiveSettings:
    """How long the live loop does what.

    Attributes
    ----------
    first, quick : TrainingSettings
        Of the first model, and of those that go on from the model before when labels have come.
    round : TrainingSettings
        Of a full round, which begins from pretrained weights.
    check : TrainingSettings
        Of each of the trainings of the cross-validation; the same for every round, so that rounds compare.
    contrast : ContrastSettings
        Of the encoders that compare the two times, for strategies that need no label.
    cold_start : str
        The strategy that ranks as long as there is no model; by default what the strategy itself names.
    batch : int
        So many slice pairs at the head of a ranking are chosen by the strategy's selector.
    spacing_mm : float
        Between labelled and chosen slices of a pair.
    head : int
        So many slice pairs are scored by a new model before its first ranking is published.
    chunk : int
        So many are scored between two looks at the clock.
    step_seconds : float
        About how long one `step` takes.
    publish_seconds : float
        A ranking that goes on is published about this often.
    turn_seconds : float
        While new labels wait, so long is ranked with one model, and so long worked on a round that has
        waited for `patience_seconds`.
    quiet_seconds : float
        A round begins when no label has come for so long, or when it has waited for `patience_seconds`.
    least_labels, least_growth : int, float
        New labels that make a round worth its time: at least so many, and this share of those before.
    agreement_slice_pairs : int
        At most so many, spread over the pool, are predicted to compare a round with the one before.
    """

    first: TrainingSettings = field(default_factory=lambda: _short(80))
    quick: TrainingSettings = field(default_factory=lambda: _short(80))
    round: TrainingSettings = field(default_factory=TrainingSettings)
    check: TrainingSettings = field(default_factory=lambda: _short(200))
    contrast: ContrastSettings = field(default_factory=ContrastSettings)
    cold_start: str = ""
    batch: int = 50
    spacing_mm: float = SPACING_MM
    head: int = 128
    chunk: int = 128
    step_seconds: float = 1.0
    publish_seconds: float = 3.0
    turn_seconds: float = 10.0
    patience_seconds: float = 60.0
    quiet_seconds: float = 5.0
    least_labels: int = 5
    least_growth: float = 0.1
    agreement_slice_pairs: int = 2000
