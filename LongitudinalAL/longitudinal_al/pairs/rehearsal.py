"""Painted changes in the place of those that labels lack, so that a network does not forget what change is.

The first slice pairs that are labelled may show nothing but artefacts. A network that learns from them alone
finds nothing any more, however it was pretrained: the labels say what is no change, the painting what is.
And the labels of one patient show that patient's changes, however many there are: a network that learns from
them alone knows that patient, and little else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.painted_lesions import Painting
from longitudinal_al.pairs.painted_slice_pairs import PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool

FEW = 4
"""Patients: with labels of so many, what is painted is not needed any more, and only teaches artefacts."""


def with_rehearsal(
    labelled: LabelledSlicePairs, enough: int, painting: Painting | None = None
) -> LabelledSlicePairs | Rehearsed:
    """Return labelled slice pairs, with painted changes beside them where some are needed; 0 = never."""
    share = painted_share(labelled.pieces, labelled.patients, enough) if enough else 0.0
    return Rehearsed(labelled, share, painting) if share else labelled


def painted_share(pieces: int, patients: int, enough: int) -> float:
    """Return how many of the examples with change are painted, from 0 to 1.

    Parameters
    ----------
    pieces : int
        Labelled pieces of change.
    patients : int
        Patients of whom anything is labelled: beside one half is painted, beside `FEW` nothing.
    enough : int
        With fewer pieces, painted ones take the place of those that are missing.
    """
    return max(0.0, 1 - pieces / enough, (FEW - patients) / (FEW - 1) / 2)


class Rehearsed:
    """Labelled slice pairs, with painted changes beside them as long as few changes or patients are labelled.

    Parameters
    ----------
    labelled : LabelledSlicePairs
        What to learn from.
    share : float
        How many of the examples with change are painted, see `painted_share`.
    painting : Painting, optional
        What is painted.
    """

    def __init__(self, labelled: LabelledSlicePairs, share: float, painting: Painting | None = None) -> None:
        self.labelled = labelled
        self.share = share
        self._painted = PaintedSlicePairs(labelled.pool, labelled.neighbours, painting)

    @property
    def pool(self) -> Pool:
        """Where the images come from."""
        return self.labelled.pool

    @property
    def rows(self) -> Sequence[int]:
        """The labelled rows of the pool."""
        return self.labelled.rows

    @property
    def exchangeable(self) -> bool:
        """See `LabelledSlicePairs.exchangeable`."""
        return self.labelled.exchangeable

    def draw(
        self, batch: int, patch: int, change_share: float, generator: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw a batch of patches, see `LabelledSlicePairs.draw`; a mask is NaN where it is not known."""
        changes = round(batch * change_share)
        painted = round(changes * self.share)
        if painted == 0 or painted == batch:
            source = self.labelled if painted == 0 else self._painted
            return source.draw(batch, patch, change_share, generator)
        rest = batch - painted
        known = self.labelled.draw(rest, patch, (changes - painted) / rest, generator)
        made_up = self._painted.draw(painted, patch, 1.0, generator)
        stacks, masks = (torch.cat(both) for both in zip(known, made_up, strict=True))
        return stacks, masks
