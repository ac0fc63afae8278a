import torch
from monai.networks.blocks import Convolution

from longitudinal_al.network.normed_convolution import NormedConvolution


def test_the_same_as_the_block_of_monai() -> None:
    own = NormedConvolution(3, 5, stride=2, bias=True)
    peer = Convolution(2, 3, 5, strides=2, kernel_size=3, adn_ordering="NA", norm="batch", act="relu")
    peer.load_state_dict(own.state_dict())
    image = torch.rand(2, 3, 16, 12)
    assert torch.equal(own(image), peer(image))
