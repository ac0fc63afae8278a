import numpy as np
import pytest
import torch

from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.rehearsal import Rehearsed, painted_share, with_rehearsal
from longitudinal_al.project.store import Project


@pytest.fixture
def pool(prepared_once):
    with Project.open(prepared_once) as project:
        yield Pool.open(project)


def labelled_without_change(pool) -> LabelledSlicePairs:
    shape = next(iter(pool.pairs.values())).grid_shape
    return LabelledSlicePairs(pool, {row: np.zeros(shape, np.uint8) for row in range(4)})


def labelled(pool) -> LabelledSlicePairs:
    masks = {row: pool.pairs[e.pair].reference_slices()[e.slice] for row, e in enumerate(pool.entries)}
    return LabelledSlicePairs(pool, masks)


def test_where_labels_show_no_change_it_is_painted(pool):
    examples = with_rehearsal(labelled_without_change(pool), 16)
    assert isinstance(examples, Rehearsed) and examples.share == 1
    stacks, masks = examples.draw(20, 32, 0.5, np.random.default_rng(0))
    assert stacks.shape == (20, 3, 3, 32, 32) and masks.shape == (20, 32, 32)
    with_change = (masks == 1).flatten(1).any(1)
    assert not with_change[:10].any() and with_change[10:].sum() >= 8
    assert not torch.isnan(masks[:10]).any()  # what a human labelled is known


@pytest.mark.parametrize(
    ("pieces", "patients", "share"),
    [(0, 8, 1.0), (4, 8, 0.75), (12, 1, 0.5), (500, 1, 0.5), (15, 2, 1 / 3), (500, 3, 1 / 6), (16, 4, 0.0)],
)
def test_painted_changes_stand_for_missing_pieces_and_patients(pieces, patients, share):
    assert painted_share(pieces, patients, 16) == pytest.approx(share)


def test_painted_changes_take_the_place_of_labelled_ones(pool):
    every = labelled(pool)
    assert with_rehearsal(every, 0) is every
    assert every.patients == 3
    assert with_rehearsal(every, every.pieces).share == pytest.approx(1 / 6)
    half = with_rehearsal(every, 2 * every.pieces)
    assert half.share == pytest.approx(0.5)
    stacks, masks = half.draw(40, 32, 0.5, np.random.default_rng(0))
    assert len(stacks) == len(masks) == 40
    assert (masks == 1).flatten(1).any(1).sum() >= 16
    assert half.rows == every.rows and half.pool is pool and half.exchangeable == every.exchangeable


def test_a_batch_of_changes_alone(pool):
    examples = with_rehearsal(labelled_without_change(pool), 16)
    stacks, _ = examples.draw(6, 32, 1.0, np.random.default_rng(0))
    assert len(stacks) == 6
