"""A head that predicts the network's own loss (learning loss).

Paper: Yoo and Kweon, "Learning Loss for Active Learning", CVPR 2019. What several levels of the network
found is averaged over the image, each goes through a small layer, and one more layer gives the loss.
Learned is only which of two images has the larger loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

HIDDEN = 32
WINDOW_PIXELS = 48
"""Side of what is averaged, in pixels of the input: the patches of the training, so that both are alike."""


class LossHead(nn.Module):
    """Predicts the loss of windows of a slice pair, and gives the largest.

    As published one number is predicted from averages over the whole image. A slice is far larger than a
    patch of the training, and change is small in it: here a window the size of a patch slides over the
    slice.

    Parameters
    ----------
    widths : sequence of int
        Channels of what is read: the levels of the encoder, the finest first, then the decoder's last.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(width, HIDDEN, 1) for width in widths)
        self.last = nn.Conv2d(HIDDEN * len(widths), 1, 1)

    def forward(self, found: Sequence[torch.Tensor]) -> torch.Tensor:
        """Predict, without any gradient into the network: what it learns from labels is not disturbed.

        Parameters
        ----------
        found : sequence of torch.Tensor
            (n, widths[i], rows, columns) each; the first and the last at half the resolution of the input,
            and each between them at half that of the one before.

        Returns
        -------
        torch.Tensor
            (n,); only their order means something.
        """
        coarsest = 2 ** (len(found) - 1)
        steps = [2 ** (level + 1) for level in range(len(found) - 1)] + [2]
        averages = [_windows(one.detach(), step, coarsest) for one, step in zip(found, steps, strict=True)]
        both = zip(self.layers, averages, strict=True)
        hidden = [torch.relu(layer(average.to(layer.weight.dtype))) for layer, average in both]
        predicted: torch.Tensor = self.last(torch.cat(hidden, dim=1))
        return predicted.amax((1, 2, 3))


def _windows(found: torch.Tensor, step: int, stride: int) -> torch.Tensor:
    """Average over windows of `WINDOW_PIXELS`, or the whole image if it is smaller.

    Parameters
    ----------
    found : torch.Tensor
        (n, channels, rows, columns), a position every ``step`` pixels of the input.
    step, stride : int
        In pixels of the input; a window begins every ``stride``, which every level can do.
    """
    side = max(WINDOW_PIXELS // stride, 1) * stride // step
    kernel = (min(side, found.shape[2]), min(side, found.shape[3]))
    return avg_pool2d(found, kernel, stride // step)
