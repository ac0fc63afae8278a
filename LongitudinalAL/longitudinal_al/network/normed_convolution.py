"""The block that the networks are built of: a convolution, batch normalisation, ReLU."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


class NormedConvolution(nn.Sequential):
    """A convolution of 3x3 pixels, batch normalisation and ReLU.

    The layers are named as in MONAI's `Convolution` of order "NA", so weights can be exchanged with it. It is
    not used itself: importing MONAI takes half of the time in which a worker starts.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    stride : int
        Pixels from one place to the next.
    bias : bool
        Whether the convolution adds a number of its own, which the normalisation takes away again.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, bias: bool = False) -> None:
        convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
        after = nn.Sequential(OrderedDict(N=nn.BatchNorm2d(outputs), A=nn.ReLU()))
        super().__init__(OrderedDict(conv=convolution, adn=after))
