"""Writing: whole or not at all, in each format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import InvalidInput, StorageFailed
from longitudinal_al.imaging.reading import read_scan, read_transform, same_grid
from longitudinal_al.imaging.writing import write_image, write_transform


@pytest.fixture
def image(generator: np.random.Generator) -> sitk.Image:
    image = sitk.GetImageFromArray(generator.normal(size=(5, 60, 70)).astype(np.float32))
    image.SetSpacing((0.5, 0.5, 4.0))
    image.SetDirection(sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.3, 0.2, 0.1).GetMatrix())
    return image


@pytest.mark.parametrize("name", ["ä.nii.gz", "a.nii", "a.nrrd", "a.mha"])
def test_what_is_written_is_read(image: sitk.Image, tmp_path: Path, name: str) -> None:
    write_image(image, tmp_path / "new" / name)
    read = read_scan(tmp_path / "new" / name)
    assert same_grid(read, image)
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(read), sitk.GetArrayViewFromImage(image))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_the_same_image_gives_the_same_bytes(image: sitk.Image, tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_image(image, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_an_unknown_format_is_refused(image: sitk.Image, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"\.nii\.gz"):
        write_image(image, tmp_path / "a.png")
    with pytest.raises(InvalidInput, match=r"\.tfm"):
        write_transform(sitk.Euler3DTransform(), tmp_path / "a.nii")


def test_transforms_come_back(tmp_path: Path) -> None:
    turn = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))
    write_transform(turn, tmp_path / "turn.tfm")
    read = read_transform(tmp_path / "turn.tfm")
    np.testing.assert_allclose(read.TransformPoint((7.0, 8.0, 9.0)), turn.TransformPoint((7.0, 8.0, 9.0)))


@pytest.mark.parametrize("kept", [0.0, 0.8])
def test_a_transform_that_did_not_reach_the_disk_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: float
) -> None:
    """ITK's writer says nothing when the disk is full."""
    path = tmp_path / "turn.tfm"
    path.write_bytes(b"older")
    whole = sitk.WriteTransform

    def cut(transform: sitk.Transform, name: str) -> None:
        whole(transform, name)
        written = Path(name).read_bytes()
        Path(name).write_bytes(written[: int(len(written) * kept)])

    monkeypatch.setattr(sitk, "WriteTransform", cut)
    with pytest.raises(StorageFailed, match="full"):
        write_transform(sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0)), path)
    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["turn.tfm"]


FULL_DISK = """
import resource, sys
from pathlib import Path
import SimpleITK as sitk
from longitudinal_al.errors import StorageFailed
from longitudinal_al.imaging.writing import write_image
image = sitk.AdditiveGaussianNoise(sitk.Image(40, 40, 40, sitk.sitkFloat32), 1.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_image(image, Path(sys.argv[1]))
except StorageFailed as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a file size limit stands in for a full disk; POSIX only")
@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha"])
def test_a_full_disk_leaves_the_older_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"older")
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / name)], capture_output=True, text=True
    )
    assert ran.returncode == 3, ran.stderr
    assert "full" in ran.stdout
    assert (tmp_path / name).read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == [name]
