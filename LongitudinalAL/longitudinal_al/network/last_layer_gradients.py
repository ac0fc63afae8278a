"""The gradient of the loss on what the network itself says, in its last layer's weights: BADGE's features.

Paper: Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", ICLR 2020. It is
long where the network is unsure, and points elsewhere where it is unsure about something else.
"""

from __future__ import annotations

import torch

from longitudinal_al.network.architecture import ChangeNetwork, Reading


def last_layer_gradients(network: ChangeNetwork, reading: Reading, foreground: torch.Tensor) -> torch.Tensor:
    """Return one gradient a slice pair.

    The loss is the cross-entropy with the pseudo-label (p >= 0.5), the mean over the pixels of the slice,
    where those outside of the foreground count as 0. Its gradient in a logit is p - pseudo-label; as the
    last layer works on each pixel alone, that in its weights is a product of two matrices and needs no
    backward pass.

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
        float32, (n, weights of the last layer).
    """
    probability = torch.sigmoid(reading.logits.float())
    error = (probability - (probability >= 0.5).float()) * foreground
    gradients = torch.einsum("nkhw,nchw->nkc", network.fold(error[:, None]), reading.activations.float())
    return gradients.flatten(1) / foreground[0].numel()
