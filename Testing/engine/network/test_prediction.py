import numpy as np
import pytest
import torch

from longitudinal_al.errors import OutOfMemory
from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.prediction import predict, predicted_probabilities


@pytest.fixture
def network():
    torch.manual_seed(1)
    return ChangeNetwork(Architecture(widths=(8, 16, 16, 24), dropout=0.3)).eval()


def joined(batches, name):
    return torch.cat([getattr(batch, name) for batch in batches], dim=1 if name == "members" else 0)


def test_rows_come_back_in_order_whatever_the_batch(network, unseen_pool):
    rows = [5, 2, 9, 0, 7]
    whole = list(predict([network], unseen_pool, rows, batch=32))
    parts = list(predict([network], unseen_pool, rows, batch=2))
    assert [row for part in parts for row in part.rows] == rows
    torch.testing.assert_close(joined(parts, "members"), joined(whole, "members"), atol=2e-2, rtol=0)
    assert joined(whole, "features").shape == (5, network.features_size)


def test_outside_of_the_foreground_nothing_is_predicted(network, unseen_pool):
    (batch,) = predict([network], unseen_pool, [0, 1])
    assert batch.members[..., :4].max() == 0
    assert batch.members[..., 4:].min() > 0


def test_an_ensemble_gives_one_member_each(network, unseen_pool):
    other = ChangeNetwork(network.architecture).eval()
    (batch,) = predict([network, other], unseen_pool, [0, 1, 2])
    assert batch.members.shape[:2] == (2, 3)
    assert (batch.members[0] - batch.members[1]).abs().max() > 1e-4


def test_both_ways_up_give_one_mean(network, unseen_pool):
    with torch.no_grad():  # an untrained network says "no change" everywhere, however it looks
        network.head.weight *= 30
        network.head.bias.zero_()
    stacks = torch.from_numpy(unseen_pool.stacks([3, 4], 1)).float()
    with torch.no_grad():
        said = [torch.sigmoid(network(network_input(each))[0]) for each in (stacks, stacks.flip((-2, -1)))]
    expected = (said[0] + said[1].flip((-2, -1))) / 2
    (batch,) = predict([network], unseen_pool, [3, 4], turned=True)
    inside = batch.foreground
    torch.testing.assert_close(batch.members[0][inside], expected[inside], atol=2e-2, rtol=0)
    assert (said[0] - expected)[inside].abs().max() > 0.1
    ((_, probability),) = predicted_probabilities(Committee.of([network]), unseen_pool, [3])
    np.testing.assert_allclose(probability, unseen_pool.to_grid(3, batch.members[0, 0].numpy()), atol=1e-6)


def test_dropout_passes_differ_and_repeat_with_the_seed(network, unseen_pool):
    first, again, other = (
        next(predict([network], unseen_pool, [0], dropout_passes=3, seed=seed)).members for seed in (1, 1, 2)
    )
    assert first.shape[0] == 3
    assert (first[0] - first[1]).abs().max() > 1e-4
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_given_network_is_left_as_it_was(network, unseen_pool):
    list(predict([network], unseen_pool, [0], dropout_passes=2))
    assert next(network.parameters()).dtype == torch.float32
    assert not network.drop.training


def test_no_rows_give_no_batches(network, unseen_pool):
    assert list(predict([network], unseen_pool, [])) == []


def hold_at_most(monkeypatch, count: int) -> list[int]:
    """Stand in for a device whose memory holds so many slice pairs; returns what was tried on it."""
    tried, compute = [], torch.nn.Conv2d.forward

    def forward(self, image):
        tried.append(len(image))
        if len(image) > count:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Made up for a test.")
        return compute(self, image)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", forward)
    return tried


def test_where_memory_runs_out_fewer_are_predicted_at_a_time(network, unseen_pool, monkeypatch):
    rows = [5, 2, 9, 0, 7, 3, 1]
    whole = list(predict([network], unseen_pool, rows))
    tried = hold_at_most(monkeypatch, 2)
    parts = list(predict([network], unseen_pool, rows))
    assert [row for part in parts for row in part.rows] == rows
    assert [len(part.rows) for part in parts] == [1] * 7
    assert tried[:2] == [7, 3]
    torch.testing.assert_close(joined(parts, "members"), joined(whole, "members"), atol=2e-2, rtol=0)


def test_no_memory_for_a_single_slice_pair_is_said_in_words(network, unseen_pool, monkeypatch):
    hold_at_most(monkeypatch, 0)
    with pytest.raises(OutOfMemory, match="close other programs"):
        list(predict([network], unseen_pool, [0, 1, 2]))
