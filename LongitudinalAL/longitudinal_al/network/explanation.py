"""What the network sees in one slice pair: its suggestion, its doubt, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from longitudinal_al.network.architecture import ChangeNetwork, network_input
from longitudinal_al.pairs.pool import Pool

THRESHOLD = 0.5
LEVEL = 0
"""Level of the decoder whose activations are weighed: half the resolution, soft but in its place.

Deeper ones miss small changes, which take the skips: one level down the highest attention lay on the change
in 31 % of the slices of a test, on this one in all.
"""


@dataclass(frozen=True)
class Explanation:
    """Pictures of a slice pair on the pair's grid; float32, (rows, columns), in [0, 1].

    Attributes
    ----------
    suggestion : numpy.ndarray
        Probability of change.
    uncertainty : numpy.ndarray
        Entropy of that probability in bits: 1 where both are as likely.
    attention : numpy.ndarray
        Where the network looks for its suggestion, the most at 1; 0 throughout if it looks nowhere.
    """

    suggestion: np.ndarray
    uncertainty: np.ndarray
    attention: np.ndarray


def explain(network: ChangeNetwork, pool: Pool, row: int) -> Explanation:
    """Explain what a network suggests for a slice pair.

    The attention is Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
    gradient-based localization", ICCV 2017): the activations of a level of the decoder, each weighed by the
    mean gradient of what is explained, which is the sum of the logits over the predicted change, or over the
    whole foreground where none is predicted.

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
    logits, activations, gradients = _watched(network, network_input(stacks), foreground)
    probability = (torch.sigmoid(logits) * foreground)[0]
    attention = _attention(activations, gradients, foreground)
    pictures = (probability, _entropy(probability), attention)
    return Explanation(*(_on_grid(pool, row, picture) for picture in pictures))


def _watched(
    network: ChangeNetwork, image: torch.Tensor, foreground: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return logits, the activations of the level, and the gradient of what is explained in them."""
    seen: list[torch.Tensor] = []
    was_training = network.training
    hook = network.merge[LEVEL].register_forward_hook(lambda module, inputs, output: seen.append(output))
    try:
        with torch.enable_grad():
            logits, _ = network.eval()(image)
            predicted = (torch.sigmoid(logits) >= THRESHOLD) & foreground
            explained = logits[predicted if predicted.any() else foreground].sum()
            (gradients,) = torch.autograd.grad(explained, seen[0])
    finally:
        hook.remove()
        network.train(was_training)
    return logits.detach(), seen[0].detach(), gradients


def _attention(activations: torch.Tensor, gradients: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Return the weighed activations that speak for change, at the input's size, scaled to [0, 1]."""
    weights = gradients.mean((2, 3), keepdim=True)
    speaking = torch.relu((weights * activations).sum(1, keepdim=True))
    full = torch.nn.functional.interpolate(speaking, size=foreground.shape[1:], mode="bilinear")
    inside = full[0, 0] * foreground[0]
    highest = inside.max()
    return inside / highest if highest > 0 else torch.zeros_like(inside)


def _entropy(probability: torch.Tensor) -> torch.Tensor:
    """Return the entropy of a yes or no in bits; 0 where the probability is 0 or 1."""
    terms = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return terms / torch.log(torch.tensor(2.0))


def _on_grid(pool: Pool, row: int, picture: torch.Tensor) -> np.ndarray:
    """Return a picture on the pair's grid; resampling may overshoot by a rounding error."""
    return np.clip(pool.to_grid(row, picture.numpy()), 0.0, 1.0).astype(np.float32)
