"""What a strategy may know besides images and networks: only what its needs name, and never more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy
from longitudinal_al.errors import NotReady
from longitudinal_al.evaluation.annotation_log import SecondsPredictor
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.network.misalignment_fit import ExpectedMisalignment, expected_misalignment
from longitudinal_al.pairs.pool import Pool

Masks = Mapping[int, np.ndarray]
"""By row of the pool, masks on the pairs' grids; 0 = no change."""


@dataclass(frozen=True)
class Evidence:
    """What is known about a pool besides its images. By default nothing.

    Attributes
    ----------
    labels : mapping of int to numpy.ndarray
        The labels so far.
    references : mapping of int to numpy.ndarray, optional
        The masks that an annotator would draw, of all slice pairs. Only a simulation has them.
    contrast : callable, optional
        Returns what the contrastive encoders say of the pool, which takes minutes the first time.
    seconds : SecondsPredictor, optional
        Predicts how long labelling takes.
    misalignment : ExpectedMisalignment, optional
        What was learned from the labels about the attention of the present networks, see `with_misalignment`.
    round : int
        Number of this round, 1 for the first.
    rounds : int, optional
        How many are planned, where that is known.
    """

    labels: Masks = field(default_factory=dict)
    references: Masks | None = None
    contrast: Callable[[], Contrast] | None = None
    seconds: SecondsPredictor | None = None
    misalignment: ExpectedMisalignment | None = None
    round: int = 1
    rounds: int | None = None

    def check(self, wanted: Strategy) -> None:
        """Refuse a strategy that needs what nobody has here.

        Raises
        ------
        NotReady
            The message says what, and what to do.
        """
        if self.references is None:
            refuse_yardsticks(wanted)
        if Needs.CONTRAST in wanted.needs and self.contrast is None:
            raise NotReady(
                f"{wanted.text} compares the two times of all slice pairs, which was not done here"
            )
        if Needs.COST in wanted.needs and self.seconds is None:
            raise NotReady(f"{wanted.text} asks how long labelling takes, and nothing here predicts it")

    def needed_contrast(self) -> Contrast:
        """Return what the contrastive encoders say; `check` comes first."""
        assert self.contrast is not None
        return self.contrast()


def refuse_yardsticks(wanted: Strategy) -> None:
    """Refuse a strategy that looks at references, outside of a simulation.

    Raises
    ------
    NotReady
        The message says what it is for.
    """
    if Needs.LABELS in wanted.needs:
        raise NotReady(
            f"{wanted.text} looks at the references of slice pairs that nobody has labelled: it is a "
            "yardstick for `longitudinal-al simulate` and cannot choose what to label: take another one"
        )


def with_misalignment(
    given: Evidence,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    pool: Pool,
    interrupt: Interrupt = never,
) -> Evidence:
    """Return the evidence with what the labels say about the networks' attention, where that is needed."""
    if Needs.FITTED_MISALIGNMENT not in wanted.needs or not networks:
        return given
    return replace(given, misalignment=expected_misalignment(networks, pool, given.labels, interrupt))
