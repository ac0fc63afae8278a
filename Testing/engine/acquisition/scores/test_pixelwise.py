import math

import torch

from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def test_entropy_of_known_probabilities():
    known = {0.0: 0.0, 1.0: 0.0, 0.5: math.log(2), 0.25: 0.5623351446, 0.75: 0.5623351446, 0.001: 0.0079072}
    found = binary_entropy(torch.tensor(list(known)))
    assert torch.allclose(found, torch.tensor(list(known.values())), atol=1e-6)
    assert found[0] == 0.0
    assert found[1] == 0.0


def test_entropy_agrees_with_xlogy_and_leaves_its_input_alone():
    change = torch.cat(
        [torch.rand(10_000, generator=torch.Generator().manual_seed(0)), torch.tensor([1e-38])]
    )
    before = change.clone()
    expected = -torch.xlogy(change, change) - torch.xlogy(1 - change, 1 - change)
    assert torch.allclose(binary_entropy(change), expected, atol=1e-6)
    assert torch.equal(change, before)
    assert binary_entropy(change).min() >= 0


def test_the_peak_is_at_one_half_and_not_at_0_37_as_published():
    change = torch.linspace(0, 1, 101)
    assert binary_entropy(change).argmax() == 50


def test_nan_stays_nan():
    assert binary_entropy(torch.tensor([float("nan")])).isnan().all()
