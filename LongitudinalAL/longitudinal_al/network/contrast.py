"""How surprising a follow-up slice is, given its baseline: MDAL's cold start, without label or model.

Paper: "MDAL: Modality-difference-based active learning", Computerized Medical Imaging and Graphics 123
(2025) 102544, where two modalities take the place of the two times. The full text could not be had: what is
here is a reconstruction from the abstract and from what is known of contrastive estimates of mutual
information (van den Oord et al., "Representation learning with contrastive predictive coding", 2018). Two
encoders learn to recognise which follow-up slice belongs to which baseline slice (symmetric InfoNCE). With
similarities s and temperature t,

    PMI_i = s_ii / t - (log mean_j exp(s_ij / t) + log mean_j exp(s_ji / t)) / 2,    MD_i = -PMI_i.

Only the order of MD means something: InfoNCE is no valid estimate of mutual information. A slice whose
times lie badly on each other stands out too, so pairs with a doubtful registration have to be held back.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, cross_entropy, normalize

from longitudinal_al.network.device import fast_arithmetic, pick_device
from longitudinal_al.network.normed_convolution import NormedConvolution
from longitudinal_al.pairs.augmentation import BASELINE, FOLLOWUP
from longitudinal_al.pairs.pool import Pool

Progress = Callable[[float], None]
LONGEST_SIDE = 96
"""Slices are averaged down to at most so many pixels a side: what is compared is anatomy, not texture."""
MOST_SLICES = 8192
"""So many slice pairs, drawn at random, are held in memory to learn from (150 MiB of float16)."""
BATCH = 64
"""Slice pairs at a time when a pool is read."""
LEAST_STEPS = 100
"""Updates that even a very small pool gets."""
SCALE = 3.0
"""In robust z."""


@dataclass(frozen=True)
class ContrastSettings:
    """How the two encoders are built and trained.

    Attributes
    ----------
    steps, batch : int
        Updates at most, and slice pairs in each: each follow-up slice is told from so many others.
    passes : int
        So often a small pool is gone through.
    temperature : float
        Of the softmax over similarities.
    learning_rate : float
        Of AdamW; it rises and falls over the steps (one cycle).
    widths : tuple of int
        Channels of the encoder's levels, each at half the resolution of the one before.
    size : int
        Numbers that stand for a slice.
    gain, offset, noise : float
        Largest random change of contrast, brightness and noise (robust z) of each time on its own, so that
        slices are not recognised by the scanner.
    """

    steps: int = 400
    batch: int = 128
    passes: int = 30
    temperature: float = 0.1
    learning_rate: float = 3e-3
    widths: tuple[int, ...] = (16, 32, 64, 128)
    size: int = 64
    gain: float = 0.25
    offset: float = 0.25
    noise: float = 0.1


class SliceEncoder(nn.Module):
    """Turns slices of one time into unit vectors."""

    def __init__(self, settings: ContrastSettings) -> None:
        super().__init__()
        widths = (1, *settings.widths)
        self.levels = nn.Sequential(
            *(NormedConvolution(a, b, stride=2, bias=True) for a, b in itertools.pairwise(widths))
        )
        self.last = nn.Linear(2 * widths[-1], settings.size)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        """Return unit vectors (n, size) for slices (n, rows, columns)."""
        found = self.levels(slices[:, None])
        return normalize(self.last(torch.cat([found.mean((2, 3)), found.amax((2, 3))], dim=1)).float())


class ContrastEncoders(nn.Module):
    """The encoder of the baseline and that of the follow-up."""

    def __init__(self, settings: ContrastSettings) -> None:
        super().__init__()
        self.settings = settings
        self.baseline, self.followup = SliceEncoder(settings), SliceEncoder(settings)

    def forward(self, slices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the unit vectors of both times, (n, size) each, for slices (n, 2, rows, columns)."""
        return self.baseline(slices[:, 0]), self.followup(slices[:, 1])


@dataclass(frozen=True)
class Contrast:
    """What two encoders say of a pool.

    Attributes
    ----------
    difference : numpy.ndarray
        MD of each slice pair, float32 (n,); only its order means something.
    features : numpy.ndarray
        Unit vectors of both times, joined, float32 (n, 2 size).
    """

    difference: np.ndarray
    features: np.ndarray


def train_contrast(
    pool: Pool,
    settings: ContrastSettings,
    *,
    seed: int,
    device: torch.device | None = None,
    progress: Progress = lambda share: None,
) -> ContrastEncoders:
    """Train both encoders on the slice pairs of a pool; no label is looked at.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    settings : ContrastSettings
        How.
    seed : int
        Of the weights, the batches and the changes of contrast.
    device : torch.device, optional
        Where to train; by default the best there is.
    progress : callable
        Called with the share that is done.

    Returns
    -------
    ContrastEncoders
        In evaluation mode, on the CPU.
    """
    device = device or pick_device()
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(pool))[:MOST_SLICES])
    steps = _steps(settings, len(rows))
    slices = _reduced_slices(pool, rows.tolist(), lambda share: progress(0.2 * share))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        encoders = ContrastEncoders(settings).to(device, memory_format=torch.channels_last).train()
        fused = device.type in ("cpu", "cuda")
        optimiser = torch.optim.AdamW(encoders.parameters(), settings.learning_rate, fused=fused)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=steps + 1
        )
        for step in range(steps):
            drawn = generator.permutation(len(rows))[: settings.batch]
            seen = _varied(slices[np.sort(drawn)].to(device).float(), settings)
            with fast_arithmetic(device):
                baseline, followup = encoders(seen)
            loss = info_nce(baseline.float() @ followup.float().T / settings.temperature)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            progress(0.2 + 0.8 * (step + 1) / steps)
    return encoders.cpu().eval()


def _steps(settings: ContrastSettings, slice_pairs: int) -> int:
    """Return how many updates a pool gets: none where there is nothing to tell apart."""
    if slice_pairs < 2:
        return 0
    wanted = max(LEAST_STEPS, settings.passes * math.ceil(slice_pairs / settings.batch))
    return min(settings.steps, wanted)


def info_nce(similarities: torch.Tensor) -> torch.Tensor:
    """Return the symmetric InfoNCE loss of similarities over temperature, (n, n)."""
    own = torch.arange(len(similarities), device=similarities.device)
    return (cross_entropy(similarities, own) + cross_entropy(similarities.T, own)) / 2


def modality_difference(
    encoders: ContrastEncoders,
    pool: Pool,
    *,
    device: torch.device | None = None,
    progress: Progress = lambda share: None,
) -> Contrast:
    """Tell for every slice pair of a pool how badly its two times go together.

    Parameters
    ----------
    encoders : ContrastEncoders
        Trained on the pool, or on one like it; they are not changed.
    pool : Pool
        Where the images come from.
    device : torch.device, optional
        Where to run; by default the best there is.
    progress : callable
        Called with the share that is done.
    """
    device = device or pick_device()
    size = encoders.settings.size
    vectors = torch.zeros(len(pool), 2 * size)
    encoders.to(device).eval()
    with torch.inference_mode():
        for start in range(0, len(pool), BATCH):
            rows = range(start, min(start + BATCH, len(pool)))
            seen = _reduced(pool, rows).to(device).float() / SCALE
            with fast_arithmetic(device):
                both = encoders(seen)
            vectors[start : start + len(rows)] = torch.cat(both, dim=1).float().cpu()
            progress(rows.stop / len(pool))
    encoders.cpu()
    baseline, followup = vectors[:, :size], vectors[:, size:]
    information = pointwise_information(baseline, followup, encoders.settings.temperature)
    return Contrast((-information).numpy(), vectors.numpy())


def pointwise_information(
    baseline: torch.Tensor, followup: torch.Tensor, temperature: float, block: int = 512
) -> torch.Tensor:
    """Return PMI, (n,), of unit vectors (n, d) each; memory grows with n, as n x n is never held whole."""
    count = len(baseline)
    own = (baseline * followup).sum(1) / temperature
    both = torch.zeros(count)
    for mine, theirs in ((baseline, followup), (followup, baseline)):
        for start in range(0, count, block):
            similarities = mine[start : start + block] @ theirs.T / temperature
            both[start : start + block] += similarities.logsumexp(1) - math.log(count)
    return own - both / 2


def _reduced_slices(pool: Pool, rows: Sequence[int], progress: Progress) -> torch.Tensor:
    """Read the two times of slice pairs, made smaller; float16, (n, 2, rows, columns), in memory."""
    parts = []
    for start in range(0, len(rows), BATCH):
        parts.append(_reduced(pool, rows[start : start + BATCH]))
        progress(min(start + BATCH, len(rows)) / len(rows))
    return torch.cat(parts) if parts else torch.zeros(0, 2, 1, 1, dtype=torch.float16)


def _reduced(pool: Pool, rows: Sequence[int]) -> torch.Tensor:
    """Read the two times of a few slice pairs, averaged over squares; float16, (n, 2, rows, columns)."""
    both = torch.from_numpy(pool.stacks(rows)[:, 0, [BASELINE, FOLLOWUP]]).float()
    factor = -(-max(pool.size) // LONGEST_SIDE)
    return avg_pool2d(both, factor).half()


def _varied(slices: torch.Tensor, settings: ContrastSettings) -> torch.Tensor:
    """Change the contrast of each time on its own, and mirror half of the slice pairs; outside stays 0."""
    inside = slices != 0
    gain, offset = (_drawn(slices, limit) for limit in (settings.gain, settings.offset))
    varied = slices * (1 + gain) + offset + settings.noise * torch.randn_like(slices)
    varied = varied * inside / SCALE
    mirrored = torch.rand(len(slices), device=slices.device) < 0.5
    return torch.where(mirrored[:, None, None, None], varied.flip(-1), varied)


def _drawn(slices: torch.Tensor, limit: float) -> torch.Tensor:
    """Draw a number between -limit and limit for each time of each slice pair, (n, 2, 1, 1)."""
    return (2 * torch.rand((len(slices), 2, 1, 1), device=slices.device) - 1) * limit
