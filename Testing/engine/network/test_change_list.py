import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import NotReady
from longitudinal_al.network.change_list import find_changes, read_changes, write_changes


def mask_of(voxels, spacing=(0.5, 0.5, 3.0), origin=(10.0, -20.0, 30.0)):
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return image


def test_each_change_has_its_class_volume_centre_and_diameter():
    voxels = np.zeros((6, 20, 24), np.uint8)
    voxels[2, 4:8, 4:10] = 1  # 4 x 6 pixels of one slice
    voxels[3, 8, 10] = 1  # touches it by a corner
    voxels[5, 15, 20] = 2
    changes, numbers = find_changes(mask_of(voxels), ("new", "gone"), 0)
    assert [(change.number, change.class_name, change.slice) for change in changes] == [
        (1, "new", 2),
        (2, "gone", 5),
    ]
    assert changes[0].volume_mm3 == pytest.approx(25 * 0.75)
    assert changes[1].volume_mm3 == pytest.approx(0.75)
    assert changes[1].centre_ras_mm == pytest.approx([-(10 + 20 * 0.5), -(-20 + 15 * 0.5), 30 + 5 * 3])
    assert changes[1].largest_diameter_mm == pytest.approx(np.sqrt(0.5**2 + 0.5**2 + 3**2), abs=1e-3)
    assert changes[0].largest_diameter_mm == pytest.approx(np.sqrt(3.5**2 + 2.5**2 + 6**2), abs=1e-3)
    found = sitk.GetArrayFromImage(numbers)
    assert np.array_equal(found > 0, voxels > 0)
    assert found[3, 8, 10] == 1
    assert found[5, 15, 20] == 2


def test_a_ball_is_as_wide_as_it_is():
    z, y, x = np.mgrid[:30, :60, :60]
    ball = ((z - 15) * 1.0) ** 2 + ((y - 30) * 0.5) ** 2 + ((x - 30) * 0.5) ** 2 <= 10**2
    (change,), _ = find_changes(mask_of(ball, (0.5, 0.5, 1.0)), ("change",), 0)
    assert change.largest_diameter_mm == pytest.approx(20, abs=1.2)
    assert change.volume_mm3 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)


def test_oblique_grids_and_other_slice_axes():
    voxels = np.zeros((8, 8, 8), np.uint8)
    voxels[1, 5, 2:4] = 1
    mask = mask_of(voxels, (1.0, 2.0, 1.0), (0.0, 0.0, 0.0))
    mask.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    (change,), _ = find_changes(mask, ("change",), 1)
    point = mask.TransformContinuousIndexToPhysicalPoint((2.5, 5.0, 1.0))
    assert change.centre_ras_mm == pytest.approx([-point[0], -point[1], point[2]])
    assert change.slice == 5


def test_the_same_voxels_have_the_same_id_and_others_another():
    voxels = np.zeros((3, 9, 9), np.uint8)
    voxels[1, 2:4, 2:4] = 1
    alone = find_changes(mask_of(voxels), ("change",), 0)[0][0]
    voxels[1, 7, 7] = 1
    both = find_changes(mask_of(voxels), ("change",), 0)[0]
    assert both[0].id == alone.id
    assert both[1].id != alone.id


def test_nothing_changed_is_an_empty_list(tmp_path):
    changes, numbers = find_changes(mask_of(np.zeros((3, 4, 5))), ("change",), 0)
    assert changes == []
    assert not sitk.GetArrayFromImage(numbers).any()
    write_changes(tmp_path, "p", changes)
    assert read_changes(tmp_path) == []


def test_a_list_is_read_as_it_was_written_and_a_missing_one_said(tmp_path):
    voxels = np.zeros((3, 9, 9), np.uint8)
    voxels[1, 2:4, 2:4] = 1
    changes, _ = find_changes(mask_of(voxels), ("change",), 0)
    write_changes(tmp_path, "p", changes)
    assert read_changes(tmp_path) == changes
    with pytest.raises(NotReady, match="predict"):
        read_changes(tmp_path / "nowhere")
