import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Split
from longitudinal_al.project.store import Project


@pytest.fixture
def pool(prepared_once):
    with Project.open(prepared_once) as project:
        yield Pool.open(project)


def test_pool_and_test_pairs_never_mix(prepared_once):
    with Project.open(prepared_once) as project:
        assert set(Pool.open(project).pairs) == {"p0", "p1", "p2"}
        assert set(Pool.open(project, Split.TEST).pairs) == {"p3"}
        assert set(Pool.open(project, split=None).pairs) == {"p0", "p1", "p2", "p3"}


def test_every_pool_of_a_project_has_one_input_size(prepared_once):
    with Project.open(prepared_once) as project:
        sizes = {Pool.open(project, split).size for split in (Split.POOL, Split.TEST, None)}
    assert len(sizes) == 1
    assert all(side % 16 == 0 for side in sizes.pop())


def test_patients_are_counted_and_not_their_pairs(pool):
    assert pool.patients == len({pair.pair.patient for pair in pool.pairs.values()}) == 3
    again = Pool([*pool.pairs.values(), *pool.pairs.values()])
    assert again.patients == 3


def test_neighbours_are_the_slices_above_and_below(pool):
    row = pool.find("p0", pool.pairs["p0"].record.slices[5])
    three = pool.stacks([row], neighbours=1)[0]
    for place, other in enumerate((row - 1, row, row + 1)):
        np.testing.assert_array_equal(three[place], pool.stacks([other])[0, 0])


def test_at_the_ends_the_last_slice_repeats(pool):
    first = pool.find("p0", pool.pairs["p0"].record.slices[0])
    three = pool.stacks([first], neighbours=1)[0]
    np.testing.assert_array_equal(three[0], three[1])


def test_a_mask_goes_to_the_network_and_comes_back(pool):
    row = next(
        r for r, e in enumerate(pool.entries) if pool.pairs[e.pair].reference_slices()[e.slice].sum() > 8
    )
    entry = pool.entries[row]
    mask = pool.pairs[entry.pair].reference_slices()[entry.slice] > 0
    back = pool.to_grid(row, pool.mask_to_network(row, mask).astype(np.float32)) >= 0.5
    assert 2 * (back & mask).sum() / (back.sum() + mask.sum()) > 0.9


def test_a_slice_that_is_not_there_is_named(pool):
    with pytest.raises(InvalidInput, match="slice 999"):
        pool.find("p0", 999)
    with pytest.raises(InvalidInput, match="'nobody' is not in the pool"):
        pool.find("nobody", 0)


def test_nothing_prepared_says_what_to_do(tmp_path):
    with Project.create(tmp_path / "empty") as project, pytest.raises(NotReady, match="prepare"):
        Pool.open(project)


@pytest.mark.parametrize("window", [(slice(4, 20), slice(6, 30)), (slice(-5, 11), slice(0, 9))])
def test_a_patch_is_a_window_of_the_slices(pool, window):
    rows = [0, 3, len(pool) - 1]
    whole = np.pad(pool.stacks(rows, 1), [(0, 0)] * 3 + [(5, 5)] * 2)
    shifted = tuple(slice(part.start + 5, part.stop + 5) for part in window)
    patches = pool.patch_reader(1).read(rows, [window] * 3)
    assert (patches == whole[(..., *shifted)]).all()
    assert patches.any()


def test_half_of_the_patches_hold_change(pool):
    masks = {row: pool.pairs[e.pair].reference_slices()[e.slice] for row, e in enumerate(pool.entries)}
    labelled = LabelledSlicePairs(pool, masks)
    stacks, drawn = labelled.draw(40, 32, 0.5, np.random.default_rng(1))
    assert stacks.shape == (40, 3, 3, 32, 32)
    assert (drawn[:20].sum((1, 2)) > 0).all()
    again, _ = labelled.draw(40, 32, 0.5, np.random.default_rng(1))
    assert (stacks == again).all()


def test_patches_larger_than_the_slice_are_the_whole_slice(pool):
    labelled = LabelledSlicePairs(pool, {0: np.zeros(next(iter(pool.pairs.values())).grid_shape, np.uint8)})
    stacks, _ = labelled.draw(2, 999, 0.5, np.random.default_rng(1))
    assert stacks.shape[-2:] == pool.size


def test_patches_without_change_lie_where_the_scans_differ(pool):
    rows = [row for row, e in enumerate(pool.entries) if e.pair == "p0"]
    reference = pool.pairs["p0"].reference_slices()
    masks = {row: np.zeros_like(reference[0]) for row in rows}  # so the true change counts as "differs"
    labelled = LabelledSlicePairs(pool, masks)
    stacks, _ = labelled.draw(60, 24, 0.5, np.random.default_rng(1))
    plain = pool.stacks(rows)[:, 0, 2].astype(np.float32)
    share_of_slices = (np.abs(plain) > 8).mean()
    share_of_patches = (stacks[:, 1, 2].abs() > 8).float().mean()
    assert share_of_patches > 3 * share_of_slices


def test_slice_pairs_that_differ_more_are_drawn_more_often(pool):
    row, column = pool.pairs["p0"].grid_shape
    labelled = LabelledSlicePairs(pool, {0: np.zeros((row, column)), 1: np.zeros((row, column))})
    scores = [pool.entries[index].difference_score for index in (0, 1)]
    assert labelled.difficulty.sum() == pytest.approx(1)
    assert np.argmax(labelled.difficulty) == np.argmax(scores)


def test_times_may_be_exchanged_where_labels_mark_both_directions(pool):
    rows = range(len(pool))
    differences = {row: pool.stacks([row])[0, 0, 2].astype(np.float32) for row in rows}
    shape = pool.pairs["p0"].grid_shape
    labelled = LabelledSlicePairs(pool, {row: np.zeros(shape) for row in rows})
    assert not labelled.exchangeable  # nothing is known

    def marking(wanted) -> LabelledSlicePairs:
        marked = LabelledSlicePairs(pool, {row: np.zeros(shape) for row in rows})
        marked.masks = {row: wanted(differences[row]) for row in rows}
        marked.with_change = [row for row in rows if marked.masks[row].any()]
        return marked

    assert not marking(lambda difference: difference > 12).exchangeable
    assert not marking(lambda difference: difference < -12).exchangeable
    assert marking(lambda difference: np.abs(difference) > 6).exchangeable
