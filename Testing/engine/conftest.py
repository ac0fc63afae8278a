"""What the engine's tests share: the two real pairs, and a generator with a fixed seed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

import longitudinal_al
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

ROOT = Path(__file__).resolve().parents[2]
OPEN_MS = Path(os.environ.get("LONGITUDINALAL_DATA", ROOT.parent / "shared" / "data" / "open_ms"))


@pytest.fixture(scope="session")
def open_ms() -> Path:
    """Folder of the two public pairs (see docs/benchmark.md); the test is skipped where it is missing."""
    if not OPEN_MS.is_dir():
        pytest.skip(f"the public pairs are not at {OPEN_MS}: set LONGITUDINALAL_DATA to their folder")
    return OPEN_MS


@pytest.fixture
def saying() -> Callable[..., Any]:
    """Return a function that makes a small network, which says the same everywhere: a logit."""
    # here, as it takes torch, which few of these tests need
    from longitudinal_al.network.architecture import Architecture, ChangeNetwork

    def make(logit: float, widths: tuple[int, ...] = (8, 8, 16, 16)) -> ChangeNetwork:
        network = ChangeNetwork(Architecture(widths=widths)).eval()
        network.head.weight.data.zero_()
        network.head.bias.data.fill_(logit)
        return network

    return make


@pytest.fixture
def generator() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(20)


@dataclass(frozen=True)
class SmallCohort:
    """A folder with small scans, and the table that names them."""

    folder: Path
    table: Path


def small_head(seed: int, lesions: int, followup: bool) -> tuple[np.ndarray, np.ndarray]:
    """Make a small textured head; returns voxels and the mask of change, (24, 80, 72).

    Lesions are bright balls; the last one is only there at follow-up, which is the change.
    """
    anatomy = np.random.default_rng(seed)
    z, y, x = np.mgrid[:24, :80, :72].astype(np.float32)
    radius = np.sqrt(((z - 12) / 11) ** 2 + ((y - 40) / 36) ** 2 + ((x - 36) / 31) ** 2)
    texture = gaussian_filter(anatomy.standard_normal(radius.shape), (1.5, 3, 3))
    voxels = np.where(radius < 1, 100 + 25 * texture / texture.std(), 0)
    voxels = np.where((radius > 0.88) & (radius < 1), 30 + 10 * anatomy.random(), voxels)
    change = np.zeros(radius.shape, np.uint8)
    for number in range(lesions):
        centre = (
            12 + 5 * anatomy.uniform(-1, 1),
            40 + 18 * anatomy.uniform(-1, 1),
            36 + 15 * anatomy.uniform(-1, 1),
        )
        ball = ((z - centre[0]) / 1.6) ** 2 + ((y - centre[1]) / 4) ** 2 + ((x - centre[2]) / 4) ** 2 < 1
        is_new = number == lesions - 1
        change[ball & is_new] = 1
        if followup or not is_new:
            voxels = np.where(ball, 190.0, voxels)
    noise = np.random.default_rng([seed, followup])
    return (voxels + 3 * noise.standard_normal(voxels.shape)).astype(np.float32), change


def write_small_pair(folder: Path, seed: int, lesions: int = 3) -> None:
    """Write baseline, follow-up (turned and shifted in space), reference and the true transform."""
    folder.mkdir(parents=True)
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.02, -0.03, 0.05, (3.0, -4.0, 2.0))
    for name, is_followup in (("baseline", False), ("followup", True)):
        voxels, change = small_head(seed, lesions, is_followup)
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((2.0, 2.0, 4.0))
        image.SetOrigin((-72.0, -80.0, -48.0))
        if is_followup:
            reference = sitk.GetImageFromArray(change)
            reference.CopyInformation(image)
            grid = sitk.Image(image.GetSize(), sitk.sitkFloat32)
            grid.CopyInformation(image)
            image = sitk.Resample(image, grid, turn, sitk.sitkBSpline, 0.0)
            moved = sitk.Resample(reference, grid, turn, sitk.sitkNearestNeighbor, 0)
            sitk.WriteImage(moved, str(folder / "reference.nii.gz"))
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    sitk.WriteTransform(turn, str(folder / "true.tfm"))


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> SmallCohort:
    """Three pool pairs (the last without change) and a test pair, with non-ASCII letters in the path."""
    folder = tmp_path_factory.mktemp("kohorte-ä ö")
    header = "pair,patient,baseline,followup,reference,split\n"
    lines = []
    for number, (split, lesions) in enumerate([("pool", 3), ("pool", 2), ("pool", 0), ("test", 3)]):
        write_small_pair(folder / f"p{number}", seed=number, lesions=lesions)
        files = ",".join(f"p{number}/{name}.nii.gz" for name in ("baseline", "followup", "reference"))
        lines.append(f"p{number},patient {number},{files},{split}\n")
    table = folder / "pairs.csv"
    table.write_text(header + "".join(lines), encoding="utf-8")
    return SmallCohort(folder, table)


@pytest.fixture(scope="session")
def prepared_once(small_cohort: SmallCohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the small cohort, prepared: do not write to it, take `small_project` for that."""
    folder = tmp_path_factory.mktemp("project-é") / "prepared"
    with Project.create(folder) as project:
        project.add_pairs(read_pairs_table(small_cohort.table))
        assert prepare_project(project) == []
    return folder


@pytest.fixture
def small_project(prepared_once: Path, tmp_path: Path) -> Iterator[Project]:
    """A prepared project of one's own."""
    folder = tmp_path / "project"
    shutil.copytree(prepared_once, folder)
    with Project.open(folder) as project:
        yield project


@pytest.fixture(scope="module")
def short_contrast() -> Iterator[None]:
    """Contrastive encoders are small and learn for a moment, wherever nobody names their settings."""
    from longitudinal_al.network import contrast_file

    short = contrast_file.ContrastSettings(steps=3, batch=8, widths=(8, 8), size=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrast_file, "ContrastSettings", lambda: short)
        yield


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and three workers, each a process of its own; gives the address and the workers."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (longitudinal-al[cluster])"
    )
    tmp_path = tmp_path_factory.mktemp("cluster")
    file = tmp_path / "scheduler.json"
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--port", "0"]
    scheduler = subprocess.Popen([*begin, "--host", "127.0.0.1", "--scheduler-file", str(file)], **_quiet())
    workers: list[subprocess.Popen[bytes]] = []
    try:
        _wait(file.is_file)
        address = json.loads(file.read_text())["address"]
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
        more = ["--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path / "workers")]
        workers += [subprocess.Popen([*command, *more], **_quiet()) for _ in range(3)]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=120)
        yield address, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def _quiet() -> dict[str, object]:
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": _environment()}


def _environment() -> dict[str, str]:
    paths = [str(Path(longitudinal_al.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}  # as many threads as here


def _wait(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.05)
