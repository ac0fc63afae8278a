"""The sample data: where they are, their checksums, and how they become pairs."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import slicer_python  # noqa: F401 - first: it skips where slicer-core is missing

from longitudinal_al.errors import UnreadableImage
from LongitudinalALLib import SampleScans as samples

ROOT = Path(__file__).resolve().parents[2]
ICONS = ROOT / "LongitudinalAL" / "Resources" / "Icons"
OPEN_MS = Path(os.environ.get("LONGITUDINALAL_DATA", ROOT.parent / "shared" / "data" / "open_ms"))


class SampleData:
    """Stands in for SampleData's logic: keeps what is registered, by the names that Slicer gives them."""

    def __init__(self) -> None:
        self.sources: list[dict[str, Any]] = []

    def registerCustomSampleDataSource(self, **source: Any) -> None:
        self.sources.append(source)


def test_each_pair_is_registered_with_addresses_checksums_and_a_thumbnail() -> None:
    logic = SampleData()
    samples.registerSampleData(logic, ICONS)
    assert len(logic.sources) == 2
    for source in logic.sources:
        lengths = {len(source[name]) for name in ("uris", "fileNames", "nodeNames", "checksums")}
        assert lengths == {2}
        assert all(
            re.fullmatch(r"https://.*/patient\d\d/study[12]_FLAIR\.nii\.gz", each) for each in source["uris"]
        )
        assert all(re.fullmatch(r"SHA256:[0-9a-f]{64}", each) for each in source["checksums"])
        assert Path(source["thumbnailFileName"]).is_file()
    names = [name for source in logic.sources for name in source["fileNames"]]
    assert len(set(names)) == 4


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files come from the disk instead of from their addresses; the checks are Slicer's own."""
    if not OPEN_MS.is_dir():
        pytest.skip(f"the public pairs are not at {OPEN_MS}: set LONGITUDINALAL_DATA to their folder")
    asked: list[str] = []

    def urlretrieve(url: str, path: str) -> None:
        asked.append(url)
        shutil.copyfile(OPEN_MS / Path(url).parent.name / Path(url).name, path)

    monkeypatch.setattr("urllib.request.urlretrieve", urlretrieve)
    return asked


def test_they_are_fetched_once_and_are_what_they_should_be(downloaded: list[str], tmp_path: Path) -> None:
    pairs = samples.fetchSampleScans(tmp_path / "scans")
    assert [(pair.id, pair.patient) for pair in pairs] == [
        ("patient01", "patient01"),
        ("patient03", "patient03"),
    ]
    assert all("study1" in pair.baseline.name and "study2" in pair.followup.name for pair in pairs)
    assert len(downloaded) == 4
    samples.fetchSampleScans(tmp_path / "scans")
    assert len(downloaded) == 4


def test_a_damaged_file_is_fetched_again(downloaded: list[str], tmp_path: Path) -> None:
    pairs = samples.fetchSampleScans(tmp_path)
    pairs[0].baseline.write_bytes(b"cut")
    samples.fetchSampleScans(tmp_path)
    assert len(downloaded) == 5
    assert pairs[0].baseline.stat().st_size > 1e6


@pytest.mark.parametrize("content", [None, b"<html>not found</html>"])
def test_what_is_not_the_scan_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    def urlretrieve(url: str, path: str) -> None:
        if content is None:
            raise OSError("no network")
        Path(path).write_bytes(content)

    monkeypatch.setattr("urllib.request.urlretrieve", urlretrieve)
    with pytest.raises((UnreadableImage, OSError), match="could not be fetched whole"):
        samples.fetchSampleScans(tmp_path)
    assert list(tmp_path.iterdir()) == []
