"""Where a network looks: Grad-CAM maps, many slice pairs at a time, and a loss that moves them to the change.

Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
localization", ICCV 2017) weighs activations by the mean gradient of what is explained. What is explained is
the sum of the logits over the predicted change, or over the whole foreground where none is predicted, as in
xGAL ("Learning to Select Like Humans: Explainable Active Learning for Medical Imaging", arXiv 2602.13308).
The activations are those that the last layer reads: half the resolution, soft but in their place. Deeper
ones miss small changes, which take the skips: one level down the highest attention lay on the change in 31 %
of the slices of a test, here in all.

The logits are linear in these activations. The gradient is therefore known without a backward pass: in each
channel it is the channel's weight in the last layer, wherever the slice is explained.
"""

from __future__ import annotations

import torch

from longitudinal_al.network.architecture import ChangeNetwork, Reading
from longitudinal_al.network.loss_terms import Term


def attention(network: ChangeNetwork, reading: Reading, foreground: torch.Tensor) -> torch.Tensor:
    """Return where a network looks for change.

    Parameters
    ----------
    network : ChangeNetwork
        What has read the slice pairs.
    reading : Reading
        What it has found there.
    foreground : torch.Tensor
        bool, (n, rows, columns).

    Returns
    -------
    torch.Tensor
        float32, (n, rows, columns): the most in each slice pair is 1; 0 outside of the foreground, and
        throughout if the network looks nowhere. Differentiable, but for the choice of what is explained.
    """
    share = network.fold(_explained(reading.logits, foreground)[:, None].float()).mean((2, 3))
    weights = share @ network.head.weight[:, :, 0, 0].float()
    speaking = torch.relu(torch.einsum("nc,nchw->nhw", weights, reading.activations.float()))
    full = torch.nn.functional.interpolate(speaking[:, None], size=foreground.shape[1:], mode="bilinear")
    inside = full[:, 0] * foreground
    highest = inside.amax((1, 2), keepdim=True)
    return torch.where(highest > 0, inside / highest.clamp_min(torch.finfo(torch.float32).tiny), 0.0)


def _explained(logits: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Return the pixels whose logits are explained; bool, (n, rows, columns)."""
    predicted = (logits >= 0) & foreground
    return torch.where(predicted.any(2).any(1)[:, None, None], predicted, foreground)


def alignment_term(weight: float) -> Term:
    """Return what xGAL adds to the loss: weight (there 0.1) times `alignment_loss`."""
    return lambda seen: weight * alignment_loss(seen.network, seen.reading, seen.masks)


def alignment_loss(network: ChangeNetwork, reading: Reading, masks: torch.Tensor) -> torch.Tensor:
    """Return 1 - Dice(attention, label), the mean over the examples with change; 0 where none has any.

    The network shall look where the annotator did.

    Parameters
    ----------
    network : ChangeNetwork
        What is trained.
    reading : Reading
        What it has found in the examples.
    masks : torch.Tensor
        float32 in [0, 1], (n, rows, columns); where it is NaN the attention does not count.
    """
    known = ~torch.isnan(masks)
    masks = masks.nan_to_num(0.0)
    changed = (masks > 0.5).any(2).any(1)
    looks = attention(network, reading, known)
    shared = 2 * (looks * masks).sum((1, 2))
    total = (looks + masks).sum((1, 2)).clamp_min(1e-6)
    return ((1 - shared / total) * changed).sum() / changed.sum().clamp_min(1)
