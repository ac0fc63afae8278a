"""Reading: what is good comes back whole, and what is bad is refused with a message that helps."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import UnreadableImage
from longitudinal_al.imaging.reading import acquisition_time, read_mask, read_scan, read_transform, same_grid

PATIENT = "Surname^Name"


@pytest.fixture
def scan(generator: np.random.Generator) -> sitk.Image:
    image = sitk.GetImageFromArray(generator.uniform(0, 900, (6, 8, 10)).astype(np.int16))
    image.SetSpacing((0.7, 0.8, 3.0))
    image.SetOrigin((-20.0, 30.0, 5.0))
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.1, -0.2, 0.3)
    image.SetDirection(turn.GetMatrix())
    return image


def write(image: sitk.Image, path: Path) -> Path:
    sitk.WriteImage(image, str(path))
    return path


def write_dicom(image: sitk.Image, folder: Path, series: str, skip: tuple[int, ...] = ()) -> None:
    folder.mkdir(exist_ok=True)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    for k in range(image.GetSize()[2]):
        if k in skip:
            continue
        piece = image[:, :, k : k + 1]
        position = image.TransformIndexToPhysicalPoint((0, 0, k))
        tags = {
            "0008|0060": "MR",
            "0010|0010": PATIENT,
            "0020|000d": "1.2.3",
            "0020|000e": f"1.2.3.{series}",
            "0008|0022": "20240131",
            "0008|0032": "101502.5",
            "0020|0013": str(k),
            "0020|0032": "\\".join(f"{x:.6f}" for x in position),
            "0020|0037": "\\".join(f"{x:.8f}" for x in direction[:, :2].T.ravel()),
        }
        for key, value in tags.items():
            piece.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{series}_{k:02d}.dcm"))
        writer.Execute(piece)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii", "scan.nrrd", "scan.mha"])
def test_every_format_keeps_values_and_geometry(scan: sitk.Image, tmp_path: Path, name: str) -> None:
    read = read_scan(write(scan, tmp_path / name))
    assert read.GetPixelID() == sitk.sitkFloat32
    assert same_grid(read, scan)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(scan))


def test_paths_may_be_long_and_not_ascii(scan: sitk.Image, tmp_path: Path) -> None:
    folder = tmp_path / "Žiga – Prüfung" / ("x" * 30) / ("long " * 20).strip()
    folder.mkdir(parents=True)
    assert same_grid(read_scan(write(scan, folder / "größe.nii.gz")), scan)


def test_a_dicom_folder_is_one_scan(scan: sitk.Image, tmp_path: Path) -> None:
    write_dicom(scan, tmp_path / "series", "1")
    read = read_scan(tmp_path / "series")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(scan))
    np.testing.assert_allclose(read.GetSpacing(), scan.GetSpacing(), atol=1e-4)
    np.testing.assert_allclose(read.GetOrigin(), scan.GetOrigin(), atol=1e-4)
    assert acquisition_time(tmp_path / "series") == datetime(2024, 1, 31, 10, 15, 2)
    assert acquisition_time(write(scan, tmp_path / "scan.nii")) is None


def test_a_folder_with_several_series_is_refused_without_names(scan: sitk.Image, tmp_path: Path) -> None:
    write_dicom(scan, tmp_path / "both", "1")
    write_dicom(scan, tmp_path / "both", "2")
    with pytest.raises(UnreadableImage, match=r"2 DICOM series .*6 files from 1_\d\d.dcm") as refusal:
        read_scan(tmp_path / "both")
    assert "Surname" not in str(refusal.value)


def test_a_missing_slice_is_noticed(scan: sitk.Image, tmp_path: Path) -> None:
    write_dicom(scan, tmp_path / "gap", "1", skip=(3,))
    with pytest.raises(UnreadableImage, match=r"not evenly spaced \(3.00 to 6.00 mm"):
        read_scan(tmp_path / "gap")


@pytest.mark.parametrize("which", [0, 3, -1])
def test_a_slice_that_is_cut_off_is_named_wherever_it_lies(
    scan: sitk.Image, tmp_path: Path, which: int
) -> None:
    """GDCM leaves it out, and without the last slice the others are evenly spaced."""
    write_dicom(scan, tmp_path / "series", "1")
    cut = sorted((tmp_path / "series").iterdir())[which]
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(UnreadableImage, match=f"the slice {cut.name} is cut off or damaged"):
        read_scan(tmp_path / "series")


def test_other_files_beside_a_series_do_no_harm(scan: sitk.Image, tmp_path: Path) -> None:
    write_dicom(scan, tmp_path / "series", "1")
    (tmp_path / "series" / "notes.txt").write_text("series 1.2.3.1")
    (tmp_path / "series" / "thumbnails").mkdir()
    assert same_grid(read_scan(tmp_path / "series"), scan)


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="without a DICOM series"):
        read_scan(tmp_path)


def test_what_is_no_scan_is_refused(scan: sitk.Image, tmp_path: Path) -> None:
    text = tmp_path / "notes.nii.gz"
    text.write_text("not an image")
    cut = write(scan, tmp_path / "cut.mha")
    cut.write_bytes(cut.read_bytes()[:600])
    picture = write(scan[:, :, 0], tmp_path / "picture.mha")
    slices = write(scan[:, :, :1], tmp_path / "slice.nii.gz")
    series = write(sitk.JoinSeries([scan, scan]), tmp_path / "series.nii.gz")
    colour = write(sitk.Compose(scan, scan, scan), tmp_path / "colour.nrrd")
    refusals = {
        tmp_path / "absent.nii": "no such file",
        text: "not an image",
        cut: "not an image",
        picture: "two dimensions",
        slices: r"one slice only \(10 x 8 x 1",
        series: r"2 volumes in one file \(4-D\)",
        colour: "3 channels",
    }
    for path, why in refusals.items():
        with pytest.raises(UnreadableImage, match=why) as refusal:
            read_scan(path)
        assert str(path) in str(refusal.value)


def test_a_fourth_axis_of_one_volume_is_dropped(scan: sitk.Image, tmp_path: Path) -> None:
    assert same_grid(read_scan(write(sitk.JoinSeries([scan]), tmp_path / "one.nrrd")), scan)


def test_bad_values_are_refused_and_counted(scan: sitk.Image, tmp_path: Path) -> None:
    scan = sitk.Cast(scan, sitk.sitkFloat32)
    scan[1, 1, 1] = float("nan")
    scan[2, 2, 2] = float("inf")
    with pytest.raises(UnreadableImage, match="2 of 480 voxels are NaN or infinite"):
        read_scan(write(scan, tmp_path / "nan.nii"))
    with pytest.raises(UnreadableImage, match="empty"):
        read_scan(write(sitk.Image(5, 5, 5, sitk.sitkFloat32) + 7, tmp_path / "constant.nii"))


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii"])
def test_a_file_that_is_cut_off_is_refused_though_itk_reads_it(
    generator: np.random.Generator, tmp_path: Path, name: str, kind: type
) -> None:
    path = tmp_path / name
    write(sitk.GetImageFromArray(generator.uniform(0, 900, (20, 30, 30)).astype(kind)), path)
    whole = path.read_bytes()
    read_scan(path)
    for share in (0.5, 0.93, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(
            UnreadableImage, match="cut off or damaged; copy it or export it again"
        ) as refusal:
            read_scan(path)
        assert str(path) in str(refusal.value)


def test_a_byte_that_has_changed_in_a_compressed_file_is_noticed(
    generator: np.random.Generator, tmp_path: Path
) -> None:
    noise = generator.uniform(0, 900, (40, 60, 60)).astype(np.int16)
    path = write(sitk.GetImageFromArray(noise), tmp_path / "scan.nii.gz")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1  # of the checksum: what is read is as it was
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match="cut off or damaged"):
        read_scan(path)


def test_a_mask_that_is_cut_off_is_no_empty_mask(tmp_path: Path) -> None:
    mask = np.zeros((20, 30, 30), np.uint8)
    mask[15, 10:20, 10:20] = 1
    path = write(sitk.GetImageFromArray(mask), tmp_path / "mask.nii")
    path.write_bytes(path.read_bytes()[:9_000])
    with pytest.raises(UnreadableImage, match="cut off"):
        read_mask(path)


def test_a_header_without_a_size_of_the_voxels_is_refused(scan: sitk.Image, tmp_path: Path) -> None:
    path = write(scan, tmp_path / "scan.nii")
    content = bytearray(path.read_bytes())
    content[80:92] = bytes(12)  # pixdim[1] to pixdim[3]
    content[252:256] = bytes(4)  # qform_code, sform_code
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match="tells no size of a voxel"):
        read_scan(path)


def test_a_header_in_another_unit_is_refused(scan: sitk.Image, tmp_path: Path) -> None:
    scan.SetSpacing((7e-4, 7e-4, 3e-3))
    with pytest.raises(UnreadableImage, match="millimetres"):
        read_scan(write(scan, tmp_path / "metres.nrrd"))


def sheared(path: Path, shear: float) -> Path:
    affine = np.diag([-0.7, -0.8, 3.0, 1.0])
    affine[0, 2] = shear
    affine[:3, 3] = 20.0, -30.0, 5.0
    image = nibabel.Nifti1Image(np.arange(480, dtype=np.float32).reshape(10, 8, 6), affine)
    image.set_sform(affine, 1)
    image.header["qform_code"] = 0
    nibabel.save(image, path)
    return path


def test_a_slightly_sheared_header_is_repaired_and_a_real_shear_refused(tmp_path: Path) -> None:
    path = sheared(tmp_path / "slight.nii", 0.02)
    with pytest.raises(RuntimeError):
        sitk.ReadImage(str(path))  # the repair is needed
    image = read_scan(path)
    assert sitk.GetArrayFromImage(image)[5, 7, 9] == 479
    far = np.array(image.TransformIndexToPhysicalPoint((9, 7, 5)))
    np.testing.assert_allclose(far, [-20 + 0.7 * 9, 30 + 0.8 * 7, 5 + 15], atol=0.15)
    with pytest.raises(UnreadableImage, match="right angles"):
        read_scan(sheared(tmp_path / "really.nii", 1.0))


def test_masks_are_binary_or_classes(scan: sitk.Image, tmp_path: Path) -> None:
    classes = sitk.Cast(scan > 450, sitk.sitkFloat32) + sitk.Cast(scan > 800, sitk.sitkFloat32)
    path = write(classes, tmp_path / "classes.nii.gz")
    assert set(np.unique(sitk.GetArrayViewFromImage(read_mask(path)))) == {0, 1, 2}
    with pytest.raises(UnreadableImage, match=r"3 different values \(0, 1, 2\), expected 0 and 1"):
        read_mask(path, largest_class=1)
    white = read_mask(write((scan > 450) * 255, tmp_path / "white.nrrd"))
    assert white.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(sitk.GetArrayViewFromImage(white))) == {0, 1}
    soft = sitk.Cast(scan, sitk.sitkFloat32) / 900.0
    with pytest.raises(UnreadableImage, match="not a mask: it holds"):
        read_mask(write(soft, tmp_path / "soft.nii"))
    with pytest.raises(UnreadableImage, match="not a mask"):
        read_mask(write(scan, tmp_path / "scan.nii"))


def test_an_empty_mask_is_refused_where_it_must_not_be(scan: sitk.Image, tmp_path: Path) -> None:
    path = write(scan * 0, tmp_path / "empty.nii")
    assert not sitk.GetArrayViewFromImage(read_mask(path)).any()
    with pytest.raises(UnreadableImage, match="empty"):
        read_mask(path, allow_empty=False)


def test_transforms(tmp_path: Path) -> None:
    turn = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))
    sitk.WriteTransform(turn, str(tmp_path / "turn.tfm"))
    read = read_transform(tmp_path / "turn.tfm")
    np.testing.assert_allclose(read.TransformPoint((7.0, 8.0, 9.0)), turn.TransformPoint((7.0, 8.0, 9.0)))
    (tmp_path / "text.tfm").write_text("nothing")
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "flat.tfm"))
    for name, why in {"absent.tfm": "no such file", "text.tfm": "not an ITK", "flat.tfm": "2-D"}.items():
        with pytest.raises(UnreadableImage, match=why):
            read_transform(tmp_path / name)


def test_same_grid_notices_each_difference(scan: sitk.Image) -> None:
    assert same_grid(scan, sitk.Image(scan))
    turned, shifted, stretched = sitk.Image(scan), sitk.Image(scan), sitk.Image(scan)
    turned.SetDirection(np.eye(3).ravel().tolist())
    shifted.SetOrigin((-20.0, 30.1, 5.0))
    stretched.SetSpacing((0.7, 0.8, 3.01))
    for other in (turned, shifted, stretched, scan[:, :, 1:]):
        assert not same_grid(scan, other)
