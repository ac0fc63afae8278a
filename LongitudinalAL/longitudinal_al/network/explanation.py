"""What the network sees in one slice pair: its suggestion, its doubt, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from longitudinal_al.network.architecture import network_input
from longitudinal_al.network.attention import attention
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.upside_down import probability_of_both
from longitudinal_al.pairs.pool import Pool


@dataclass(frozen=True)
class Explanation:
    """Pictures of a slice pair on the pair's grid; float32, (rows, columns), in [0, 1].

    Attributes
    ----------
    suggestion : numpy.ndarray
        Probability of change, the mean of two looks as in predicted masks.
    uncertainty : numpy.ndarray
        Entropy of that probability in bits: 1 where both are as likely.
    attention : numpy.ndarray
        Where the network looks for its suggestion, the most at 1; 0 throughout if it looks nowhere.
    """

    suggestion: np.ndarray
    uncertainty: np.ndarray
    attention: np.ndarray


def explain(committee: Committee, pool: Pool, row: int) -> Explanation:
    """Explain what networks suggest for a slice pair; for the attention see `network.attention`.

    Parameters
    ----------
    committee : Committee
        Networks on the CPU, where one slice takes a fraction of a second; the attention is the first one's.
    pool : Pool
        Where the images come from.
    row : int
        Row of the pool.
    """
    foreground = torch.from_numpy(pool.foreground([row]))
    first = committee.networks[0]
    stacks = torch.from_numpy(pool.stacks([row], first.architecture.neighbours)).float()
    with torch.inference_mode():
        image = network_input(stacks)
        readings = [network.read(image) for network in committee.networks]
        looks = attention(first, readings[0], foreground)[0]
        looked = zip(committee.networks, readings, strict=True)
        said = [probability_of_both(network, image, reading.logits) for network, reading in looked]
    probability = (committee.mean(torch.stack(said)) * foreground)[0]
    pictures = (probability, _entropy(probability), looks)
    return Explanation(*(_on_grid(pool, row, picture) for picture in pictures))


def _entropy(probability: torch.Tensor) -> torch.Tensor:
    """Return the entropy of a yes or no in bits; 0 where the probability is 0 or 1."""
    terms = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return terms / torch.log(torch.tensor(2.0))


def _on_grid(pool: Pool, row: int, picture: torch.Tensor) -> np.ndarray:
    """Return a picture on the pair's grid; resampling may overshoot by a rounding error."""
    return np.clip(pool.to_grid(row, picture.numpy()), 0.0, 1.0).astype(np.float32)
