"""What the network sees in one slice pair: its suggestion, its doubt, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from longitudinal_al.network.architecture import ChangeNetwork, network_input
from longitudinal_al.network.attention import attention
from longitudinal_al.network.upside_down import upside_down_probability
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


def explain(network: ChangeNetwork, pool: Pool, row: int) -> Explanation:
    """Explain what a network suggests for a slice pair; for the attention see `network.attention`.

    Parameters
    ----------
    network : ChangeNetwork
        On the CPU, where one slice takes a fraction of a second; it is not changed.
    pool : Pool
        Where the images come from.
    row : int
        Row of the pool.
    """
    foreground = torch.from_numpy(pool.foreground([row]))
    stacks = torch.from_numpy(pool.stacks([row], network.architecture.neighbours)).float()
    was_training = network.training
    try:
        with torch.inference_mode():
            image = network_input(stacks)
            reading = network.eval().read(image)
            both = torch.sigmoid(reading.logits), upside_down_probability(network, image)
            looks = attention(network, reading, foreground)[0]
    finally:
        network.train(was_training)
    probability = (torch.stack(both).mean(0) * foreground)[0]
    pictures = (probability, _entropy(probability), looks)
    return Explanation(*(_on_grid(pool, row, picture) for picture in pictures))


def _entropy(probability: torch.Tensor) -> torch.Tensor:
    """Return the entropy of a yes or no in bits; 0 where the probability is 0 or 1."""
    terms = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return terms / torch.log(torch.tensor(2.0))


def _on_grid(pool: Pool, row: int, picture: torch.Tensor) -> np.ndarray:
    """Return a picture on the pair's grid; resampling may overshoot by a rounding error."""
    return np.clip(pool.to_grid(row, picture.numpy()), 0.0, 1.0).astype(np.float32)
