"""Mean teacher: learning from slice pairs without label, by agreeing with one's own running average.

Paper: Tarvainen and Valpola, "Mean teachers are better role models: weight-averaged consistency targets
improve semi-supervised deep learning results", NeurIPS 2017. The student sees a patch with changed contrast,
noise and dropout, the teacher (the running average of the student's weights) the same patch as it is; the
mean squared difference of their probabilities is added to the loss, with a weight that rises over the first
steps. As change is rare, half of the patches are centred where the two scans differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from longitudinal_al.network.architecture import network_input
from longitudinal_al.network.device import fast_arithmetic
from longitudinal_al.network.loss_terms import Step
from longitudinal_al.pairs.augmentation import Augmentation, augment, change_contrast
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.unlabelled import UnlabelledSlicePairs

RISE = 0.3
"""Share of the steps over which the weight rises: at the beginning the teacher knows nothing."""
STREAM = 2
"""Sets the random numbers apart from those of the labelled batches, which stay the same with and without."""


def rising(done: float) -> float:
    """Return the share of the full weight at a share of the steps: the paper's exp(-5 (1 - t)^2)."""
    return math.exp(-5 * (1 - min(done / RISE, 1.0)) ** 2)


class MeanTeacher:
    """The consistency term; call it with each step.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    labelled : sequence of int
        Its rows that have a label, and are left out here (unless all have one).
    weight : float
        Of the mean squared difference of probabilities, when it has risen.
    augmentation : Augmentation
        How far both views are moved (alike), and how far the student's contrast is changed.
    batch, patch : int
        Patches a step, and their side in pixels.
    seed : int
        Of the patches and the augmentation.
    """

    def __init__(
        self,
        pool: Pool,
        labelled: Sequence[int],
        weight: float,
        augmentation: Augmentation,
        batch: int,
        patch: int,
        seed: int,
    ) -> None:
        known = set(labelled)
        rows = [row for row in range(len(pool)) if row not in known] or list(labelled)
        self._pool, self._rows = pool, rows
        self._weight, self._batch, self._patch = weight, batch, patch
        self._moves = replace(augmentation, gain=0.0, offset=0.0, noise=0.0, difference_gain=0.0)
        self._contrast = augmentation
        self._generator = np.random.default_rng([seed, STREAM])
        self._torch_generator = torch.Generator().manual_seed(int(self._generator.integers(2**62)))
        self._examples: UnlabelledSlicePairs | None = None

    def __call__(self, step: Step) -> torch.Tensor:
        """Return the weighted mean squared difference between student and teacher on new patches."""
        device = step.reading.logits.device
        stacks = self._draw(step.network.architecture.neighbours)
        changed = change_contrast(stacks.clone(), self._contrast, self._torch_generator)
        views = (
            network_input(view).to(device, memory_format=torch.channels_last) for view in (stacks, changed)
        )
        calm, perturbed = views
        with fast_arithmetic(device):
            with torch.no_grad():
                target = torch.sigmoid(step.average.eval()(calm)[0].float())
            found = torch.sigmoid(step.network(perturbed)[0].float())
        return self._weight * rising(step.done) * torch.mean((found - target) ** 2)

    def _draw(self, neighbours: int) -> torch.Tensor:
        """Draw patches, and move them as labelled ones are moved."""
        if self._examples is None:
            self._examples = UnlabelledSlicePairs(self._pool, self._rows, neighbours)
        stacks = self._examples.draw(self._batch, self._patch, self._generator)
        no_masks = torch.zeros((len(stacks), *stacks.shape[-2:]))
        return augment(stacks, no_masks, self._moves, self._torch_generator)[0]
