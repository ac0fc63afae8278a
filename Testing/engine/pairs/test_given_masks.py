import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.imaging.reading import same_grid
from longitudinal_al.pairs.given_masks import RegisteredScans, carry_mask, read_given_mask


def grid(size=(30, 32, 12), spacing=(1.0, 1.0, 3.0), origin=(0.0, 0.0, 0.0)) -> sitk.Image:
    image = sitk.Image(size, sitk.sitkFloat32)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return image


def ball(like: sitk.Image, centre_mm, radius_mm: float, value: int = 1) -> sitk.Image:
    voxels = np.zeros(like.GetSize()[::-1], np.uint8)
    for z, y, x in np.ndindex(voxels.shape):
        point = like.TransformIndexToPhysicalPoint((int(x), int(y), int(z)))
        voxels[z, y, x] = value * (np.linalg.norm(np.subtract(point, centre_mm)) < radius_mm)
    image = sitk.GetImageFromArray(voxels)
    image.CopyInformation(like)
    return image


@pytest.fixture
def scans() -> RegisteredScans:
    """The follow-up is the baseline moved by 5 mm along x, on a grid of its own."""
    move = sitk.TranslationTransform(3, (-5.0, 0.0, 0.0))
    return RegisteredScans(grid(), grid((36, 32, 18), (1.0, 1.0, 2.0)), move)


def centre_mm(mask: sitk.Image) -> np.ndarray:
    found = np.argwhere(sitk.GetArrayFromImage(mask) > 0).mean(axis=0)[::-1]
    return np.array(mask.TransformContinuousIndexToPhysicalPoint(found.tolist()))


def write(mask: sitk.Image, folder) -> object:
    sitk.WriteImage(mask, str(folder / "mask.nii.gz"))
    return folder / "mask.nii.gz"


def test_a_mask_on_the_followups_grid_stays_as_it_is(scans, tmp_path):
    mask = ball(scans.followup, (15, 15, 17), 6, value=2)
    carried = carry_mask(read_given_mask(write(mask, tmp_path), None, "reference"), scans)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(carried), sitk.GetArrayFromImage(mask))


def test_a_mask_on_the_baselines_grid_follows_the_registration(scans, tmp_path):
    path = write(ball(scans.baseline, (12, 15, 17), 6), tmp_path)
    carried = carry_mask(read_given_mask(path, None, "reference"), scans)
    assert same_grid(carried, scans.followup)
    np.testing.assert_allclose(centre_mm(carried), (17, 15, 17), atol=0.6)


def test_a_mask_in_a_third_space_follows_both_transforms(scans, tmp_path):
    third = grid((40, 40, 20), (1.0, 1.0, 2.0), (100.0, 0.0, 0.0))
    path = write(ball(third, (112, 15, 17), 6), tmp_path)
    sitk.WriteTransform(sitk.TranslationTransform(3, (-100.0, 0.0, 0.0)), str(tmp_path / "to-baseline.tfm"))
    carried = carry_mask(read_given_mask(path, tmp_path / "to-baseline.tfm", "reference"), scans)
    np.testing.assert_allclose(centre_mm(carried), (17, 15, 17), atol=0.6)


def test_classes_keep_their_numbers(scans, tmp_path):
    first, second = ball(scans.baseline, (9, 15, 17), 4), ball(scans.baseline, (19, 15, 17), 4, value=2)
    carried = carry_mask(read_given_mask(write(first + second, tmp_path), None, "reference"), scans)
    assert set(np.unique(sitk.GetArrayFromImage(carried))) == {0, 1, 2}


def test_another_grid_without_a_transform_is_refused(scans, tmp_path):
    path = write(ball(grid((20, 20, 9), (1.5, 1.5, 3.0)), (12, 12, 12), 5), tmp_path)
    with pytest.raises(GeometryMismatch, match="give reference_transform"):
        carry_mask(read_given_mask(path, None, "reference"), scans)


def test_a_mask_that_lands_beside_the_head_asks_whether_the_scans_are_swapped(scans, tmp_path):
    third = grid((40, 40, 20), (1.0, 1.0, 2.0), (100.0, 0.0, 0.0))
    path = write(ball(third, (112, 15, 17), 6), tmp_path)
    sitk.WriteTransform(sitk.TranslationTransform(3, (60.0, 0.0, 0.0)), str(tmp_path / "wrong.tfm"))
    with pytest.raises(InvalidInput, match="not swapped in the table"):
        carry_mask(read_given_mask(path, tmp_path / "wrong.tfm", "reference"), scans)


def test_an_empty_reference_means_no_change(scans, tmp_path):
    empty = ball(scans.baseline, (0, 0, 0), 0)
    carried = carry_mask(read_given_mask(write(empty, tmp_path), None, "reference"), scans)
    assert not sitk.GetArrayFromImage(carried).any()


def test_only_the_box_that_the_mask_reaches_is_computed_and_nothing_is_cut_off(scans, tmp_path):
    turn = sitk.Euler3DTransform((15.0, 15.0, 17.0), 0.3, -0.2, 0.5, (3.0, -2.0, 1.0))
    turned = RegisteredScans(scans.baseline, scans.followup, turn)
    mask = ball(scans.baseline, (9, 15, 17), 5) + ball(scans.baseline, (26, 29, 30), 4, value=2)
    carried = sitk.GetArrayFromImage(
        carry_mask(read_given_mask(write(mask, tmp_path), None, "reference"), turned)
    )
    for value in (1, 2):
        share = sitk.Resample(
            sitk.Cast(mask == value, sitk.sitkFloat32), scans.followup, turn, sitk.sitkLinear
        )
        np.testing.assert_array_equal(carried == value, sitk.GetArrayFromImage(share) >= 0.5)
