"""Training: one loop that can be read in one go."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from monai.losses import DiceCELoss

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.device import fast_arithmetic, pick_device, within_memory
from longitudinal_al.pairs.augmentation import Augmentation, augment
from longitudinal_al.pairs.dataset import LabelledSlicePairs

Progress = Callable[[float], None]


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
    """

    steps: int = 750
    batch: int = 32
    patch: int = 48
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    change_share: float = 0.5
    average: float = 0.98
    architecture: Architecture = field(default_factory=Architecture)
    augmentation: Augmentation = field(default_factory=Augmentation)


def train(
    labelled: LabelledSlicePairs,
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
    labelled : LabelledSlicePairs
        What to learn from.
    settings : TrainingSettings
        How.
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
    labelled: LabelledSlicePairs,
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
        network = network.to(device, memory_format=torch.channels_last).train()
        average = copy.deepcopy(network)
        optimiser = torch.optim.AdamW(
            network.parameters(),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=settings.steps + 1, pct_start=0.15
        )
        loss_of = DiceCELoss(sigmoid=True, batch=True, lambda_dice=1.0, lambda_ce=1.0)
        for step in range(settings.steps):
            stacks, masks = labelled.draw(batch, settings.patch, settings.change_share, generator)
            stacks, masks = augment(stacks, masks, settings.augmentation, torch_generator)
            image = network_input(stacks).to(device, memory_format=torch.channels_last)
            with fast_arithmetic(device):
                logits, _ = network(image)
            loss = loss_of(logits[:, None].float(), masks[:, None].to(device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            _follow(average, network, min(settings.average, step / (step + 10)))
            progress((step + 1) / settings.steps)
    return average.cpu().eval()


@torch.no_grad()
def _follow(average: ChangeNetwork, network: ChangeNetwork, decay: float) -> None:
    """Move the running average of weights and statistics towards the network."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
