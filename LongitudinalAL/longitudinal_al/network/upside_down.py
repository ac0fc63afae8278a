"""A second look at the same slices: lesions have no right way up, and two looks outline them better than one.

After Wang et al., "Aleatoric uncertainty estimation with test-time augmentation for medical image
segmentation with convolutional neural networks", Neurocomputing 2019; measured in docs/decisions/turning.md.
"""

from __future__ import annotations

import torch

from longitudinal_al.network.architecture import ChangeNetwork

ROWS_AND_COLUMNS = (-2, -1)


def upside_down_probability(network: ChangeNetwork, image: torch.Tensor) -> torch.Tensor:
    """Return the probability of change that a network finds in slices turned by half a turn, turned back.

    Parameters
    ----------
    network : ChangeNetwork
        In evaluation mode.
    image : torch.Tensor
        (n, channels, rows, columns), see `network_input`.

    Returns
    -------
    torch.Tensor
        (n, rows, columns), in the image's precision.
    """
    return torch.sigmoid(network(image.flip(ROWS_AND_COLUMNS))[0]).flip(ROWS_AND_COLUMNS)


def probability_of_both(network: ChangeNetwork, image: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Return the mean probability of both looks, float32, from what the network said of the first one.

    Parameters
    ----------
    network, image
        As for `upside_down_probability`.
    logits : torch.Tensor
        (n, rows, columns), what the network says of the slices as they are.
    """
    return (torch.sigmoid(logits).float() + upside_down_probability(network, image).float()) / 2
