import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.pairs.slices import slice_axis, slices_of, spacing_of, volume_of


def scan(spacing: tuple[float, float, float]) -> sitk.Image:
    voxels = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    return image


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [((1, 1, 3), 0), ((1, 3, 1), 1), ((3, 1, 1), 2), ((1, 1, 1), 0), ((1.05, 1, 1), 0)],
)
def test_slices_lie_across_the_thickest_axis(spacing, axis):
    assert slice_axis(scan(spacing)) == axis


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_and_volume_are_inverse(axis):
    image = scan((1.0, 2.0, 3.0))
    slices = slices_of(image, axis)
    assert slices.shape[0] == (4, 5, 6)[axis]
    again = volume_of(slices, axis, image)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(again), sitk.GetArrayFromImage(image))
    assert again.GetSpacing() == image.GetSpacing()


def test_spacing_names_the_slice_axis_first():
    assert spacing_of(scan((1.0, 2.0, 3.0)), 1) == (2.0, 3.0, 1.0)
