"""Training: one loop that can be read in one go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Protocol

import numpy as np
import torch

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.attention import alignment_term
from longitudinal_al.network.device import fast_arithmetic, pick_device, within_memory
from longitudinal_al.network.loss_terms import Step, Term
from longitudinal_al.network.mean_teacher import MeanTeacher
from longitudinal_al.network.predicted_loss import predicted_loss_term, with_loss_head
from longitudinal_al.pairs.augmentation import Augmentation, augment
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.variety import missing_variety

Progress = Callable[[float], None]
FEW = 64
"""Labelled slice pairs; with more of them, times are exchanged more seldom."""


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Attributes
    ----------
    steps, batch, patch : int
        Updates, patches a step, and the side of a patch in pixels.
    learning_rate, weight_decay : float
        Of AdamW; the rate warms up and falls to 0 over the steps (one cycle).
    change_share : float
        Share of a batch that is centred on change.
    average : float
        Decay of the running average of the weights, which is what is kept.
    pretraining : int
        Updates on synthetic changes before any label is looked at, see `network.pretraining`; 0 = none, and
        fewer where few patients are known. What is trained begins there instead of at random weights.
    consistency : float
        Weight of agreeing with the mean teacher on slice pairs without label, see `network.mean_teacher`;
        0 = those are not looked at.
    alignment : float
        Weight of looking where the annotator did, see `network.attention`; the paper has 0.1; 0 = off.
    rehearsal : int
        As long as fewer pieces of change are labelled, painted ones take the place of those that are missing;
        and as long as few patients are labelled, some are painted too: see `pairs.rehearsal`. 0 = nothing is
        painted beside labels.
    predicts_loss : bool
        Whether the network learns to predict its own loss too, see `network.loss_head`.
    varied : bool
        Whether examples are varied more where few patients are known, see `pairs.variety`.
    """

    steps: int = 250
    batch: int = 32
    patch: int = 48
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    change_share: float = 0.5
    average: float = 0.98
    pretraining: int = 1500
    consistency: float = 0.0
    alignment: float = 0.0
    rehearsal: int = 16
    predicts_loss: bool = False
    varied: bool = True
    architecture: Architecture = field(default_factory=Architecture)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def missing_variety(self, pool: Pool) -> float:
        """Return how much more the examples of a pool are to be varied, from 0 to 1."""
        return missing_variety(pool) if self.varied else 0.0


class Examples(Protocol):
    """What a network learns from: labelled slice pairs, or painted ones."""

    @property
    def pool(self) -> Pool:
        """Where the images come from."""

    @property
    def rows(self) -> Sequence[int]:
        """The rows of the pool that are drawn from."""

    @property
    def exchangeable(self) -> bool:
        """Whether an example stays one when its two times change places."""

    def draw(
        self, batch: int, patch: int, change_share: float, generator: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw stacks and masks, see `LabelledSlicePairs.draw`; where a mask is NaN nothing is learned."""


def train(
    labelled: Examples,
    settings: TrainingSettings,
    *,
    seed: int,
    start: ChangeNetwork | None = None,
    device: torch.device | None = None,
    progress: Progress = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Train a network on labelled slice pairs.

    Parameters
    ----------
    labelled : Examples
        What to learn from.
    settings : TrainingSettings
        How; `pretraining` is up to the caller, who gives its outcome as ``start``.
    seed : int
        Of the weights, the batches, the augmentation and the dropout.
    start : ChangeNetwork, optional
        Where to go on from (it is not changed); by default from random weights.
    device : torch.device, optional
        Where to train; by default the best there is.
    progress, tell : callable
        Called with the share that is done, and with sentences for the user.

    Returns
    -------
    ChangeNetwork
        In evaluation mode, on the CPU.
    """

    def run(device: torch.device, batch: int) -> ChangeNetwork:
        return _train_on(labelled, settings, seed, start, device, batch, progress)

    return within_memory(run, device or pick_device(), settings.batch, tell)


def _train_on(
    labelled: Examples,
    settings: TrainingSettings,
    seed: int,
    start: ChangeNetwork | None,
    device: torch.device,
    batch: int,
    progress: Progress,
) -> ChangeNetwork:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        generator, torch_generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        network = copy.deepcopy(start) if start else ChangeNetwork(settings.architecture)
        network = with_loss_head(network) if settings.predicts_loss else network
        network = network.to(device, memory_format=torch.channels_last).train()
        average = copy.deepcopy(network)
        settings = replace(settings, augmentation=_fitting(settings, labelled))
        terms = _terms(labelled, settings, seed, batch)
        optimiser, schedule = _optimiser(network, settings, device)
        for step in range(settings.steps):
            stacks, masks = labelled.draw(batch, settings.patch, settings.change_share, generator)
            stacks, masks = augment(stacks, masks, settings.augmentation, torch_generator)
            image = network_input(stacks).to(device, memory_format=torch.channels_last)
            with fast_arithmetic(device):
                reading = network.read(image)
            seen = Step(network, average, reading, masks.to(device), step / settings.steps)
            loss = torch.stack([labelled_loss(seen), *(term(seen) for term in terms)]).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            _follow(average, network, min(settings.average, step / (step + 10)))
            progress((step + 1) / settings.steps)
    return average.cpu().eval()


def _fitting(settings: TrainingSettings, labelled: Examples) -> Augmentation:
    """Return what may be done to these examples: times change places where labels go both ways and are few.

    With many labels it does harm, as brains shrink with time and never grow: what goes which way tells much.
    And contrast is bent the less, the more patients show how it differs.
    """
    augmentation = settings.augmentation
    share = augmentation.exchanged * min(1.0, FEW / len(labelled.rows)) if labelled.exchangeable else 0.0
    curves = augmentation.curves * settings.missing_variety(labelled.pool)
    return replace(augmentation, exchanged=share, curves=curves)


def _terms(labelled: Examples, settings: TrainingSettings, seed: int, batch: int) -> list[Term]:
    """Return what is learned beside the labels: each setting that is above 0."""
    terms: list[Term] = []
    if settings.consistency > 0:
        given = (settings.consistency, settings.augmentation, batch, settings.patch, seed)
        terms.append(MeanTeacher(labelled.pool, labelled.rows, *given))
    if settings.alignment > 0:
        terms.append(alignment_term(settings.alignment))
    if settings.predicts_loss:
        terms.append(predicted_loss_term)
    return terms


@cache
def _overlap_and_cross_entropy() -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    from monai.losses import DiceCELoss  # which takes half of the time in which a worker would start

    return DiceCELoss(sigmoid=True, batch=True, lambda_dice=1.0, lambda_ce=1.0)


_SURELY_NONE = -30.0
"""A logit that costs nothing where there is no change, and adds nothing to any overlap."""


def labelled_loss(seen: Step) -> torch.Tensor:
    """Return Dice loss and cross-entropy of the batch; where a mask is NaN, nothing is asked for."""
    known = ~torch.isnan(seen.masks)
    logits = torch.where(known, seen.reading.logits.float(), _SURELY_NONE)
    masks = torch.where(known, seen.masks, 0.0)
    return _overlap_and_cross_entropy()(logits[:, None], masks[:, None])


def _optimiser(
    network: ChangeNetwork, settings: TrainingSettings, device: torch.device
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimiser = torch.optim.AdamW(
        network.parameters(),
        settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.steps + 1, pct_start=0.15
    )
    return optimiser, schedule


@torch.no_grad()
def _follow(average: ChangeNetwork, network: ChangeNetwork, decay: float) -> None:
    """Move the running average of weights and statistics towards the network."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
