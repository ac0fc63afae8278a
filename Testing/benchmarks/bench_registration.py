"""Error, time and robustness of registration on the two public pairs, beside elastix's default rigid one.

    python Testing/benchmarks/bench_registration.py [--starts 50] [--data FOLDER]

The peer runs in turn with ours, on the same scans and as many threads; each time is the shortest of its runs.
The random starts move the follow-up's header by a turn of up to 30 degrees and a shift of up to 40 mm, drawn
evenly from both balls, away from the position that the published transforms give.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.imaging.poses import (
    apply_pose,
    nearest_rigid,
    pose_about,
    pose_of_transform,
    rotation,
    transform_of_pose,
)
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.imaging.registration import register
from longitudinal_al.imaging.registration_check import check_registration
from longitudinal_al.project.records import Verdict

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LONGITUDINALAL_DATA", ROOT.parent / "shared" / "data" / "open_ms"))
ERROR_MM = {"01": 0.30, "03": 1.1}
FAILED_MM, TURN_DEGREES, SHIFT_MM = 2.0, 30.0, 40.0
CHECK_SECONDS = 1.0
WRONG = ((4.0, 0.0), (0.0, 5.0), (15.0, 0.0), (0.0, 15.0))  # mm, degrees
RUNS = 3


@dataclass(frozen=True)
class RealPair:
    """A public pair with the points of the brain as the published transforms place them in both scans."""

    folder: Path
    baseline: sitk.Image
    followup: sitk.Image
    in_baseline: np.ndarray
    in_followup: np.ndarray

    @property
    def true_pose(self) -> np.ndarray:
        """The rigid pose nearest to the published transforms."""
        columns = np.c_[self.in_followup, np.ones(len(self.in_followup))]
        fit = np.linalg.lstsq(columns, self.in_baseline, rcond=None)[0].T
        return nearest_rigid(np.vstack([fit, [0, 0, 0, 1]]), self.in_followup.mean(0))

    def error_mm(self, pose: np.ndarray) -> float:
        """Return the mean error over the brain of a pose that maps the follow-up to the baseline."""
        return float(np.linalg.norm(apply_pose(pose, self.in_followup) - self.in_baseline, axis=1).mean())


def read_pair(folder: Path) -> RealPair:
    """Read a public pair."""
    brain = read_mask(folder / "brainmask.nii.gz")
    steps = np.array(brain.GetDirection()).reshape(3, 3) * np.array(brain.GetSpacing())
    points = np.argwhere(sitk.GetArrayViewFromImage(brain))[:, ::-1] @ steps.T + np.array(brain.GetOrigin())
    transforms = [read_transform(folder / f"study{k}_FLAIR_to_common_space.txt") for k in (1, 2)]
    baseline, followup = (read_scan(folder / f"study{k}_FLAIR.nii.gz") for k in (1, 2))
    placed = [apply_pose(pose_of_transform(transform), points) for transform in transforms]
    return RealPair(folder, baseline, followup, placed[0], placed[1])


def elastix(folder: Path) -> Callable[[], tuple[float, np.ndarray]]:
    """Return a run of elastix's default rigid registration: seconds, and the pose that it finds."""
    import itk

    baseline, followup = (itk.imread(str(folder / f"study{k}_FLAIR.nii.gz"), itk.F) for k in (1, 2))
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("rigid"))

    def run() -> tuple[float, np.ndarray]:
        begun = time.perf_counter()
        _, found = itk.elastix_registration_method(
            followup, baseline, parameter_object=parameters, log_to_console=False
        )
        seconds = time.perf_counter() - begun
        turn_shift = [float(x) for x in found.GetParameterMap(0)["TransformParameters"]]
        centre = [float(x) for x in found.GetParameterMap(0)["CenterOfRotationPoint"]]
        return seconds, pose_of_transform(sitk.Euler3DTransform(centre, *turn_shift[:3], turn_shift[3:]))

    return run


def say(what: str, figure: str, limit: str, reached: bool) -> None:
    """Print a line of the table."""
    print(f"{what:<58} {figure:>16}   {limit:<22} {'ok' if reached else 'MISSED'}", flush=True)


def bench_pair(patient: str, pair: RealPair) -> None:
    """Measure error and time beside the peer, and the check."""
    peer, theirs, ours = elastix(pair.folder), [], []
    for _ in range(RUNS):
        theirs.append(peer())
        ours.append(register(pair.baseline, pair.followup))
    error, limit = pair.error_mm(pose_of_transform(ours[0].transform)), ERROR_MM[patient]
    say(
        f"patient {patient}: rigid error, mean over the brain",
        f"{error:.2f} mm",
        f"<= {limit:.2f} mm",
        error <= limit,
    )
    print(f"{'  elastix, default rigid':<58} {pair.error_mm(theirs[0][1]):>13.2f} mm")
    affine = register(pair.baseline, pair.followup, "affine")
    error = pair.error_mm(pose_of_transform(affine.transform))
    say(
        f"patient {patient}: {affine.model} error (affine asked for)",
        f"{error:.2f} mm",
        f"<= {limit:.2f} mm",
        error <= limit,
    )
    seconds, peer_seconds = min(one.seconds for one in ours), min(one[0] for one in theirs)
    ratio = seconds / peer_seconds
    say(
        f"patient {patient}: time, ours / elastix",
        f"{seconds:.2f} / {peer_seconds:.2f} s",
        f"{ratio:.2f} x (<= 1)",
        ratio <= 1,
    )
    begun = time.perf_counter()
    check = check_registration(pair.baseline, pair.followup, ours[0].transform)
    seconds = time.perf_counter() - begun
    say(
        f"patient {patient}: time of the check",
        f"{seconds:.2f} s",
        f"<= {CHECK_SECONDS:.0f} s",
        seconds <= CHECK_SECONDS,
    )
    say(f"patient {patient}: the check's verdict", check.verdict.value, "good", check.verdict is Verdict.GOOD)


def bench_starts(patient: str, pair: RealPair, starts: int) -> None:
    """Register from random starts; at most one may fail, and the check must catch it."""
    generator = np.random.default_rng(2)
    errors, caught = [], []
    for seed in range(starts):
        move = random_move(pair.in_baseline.mean(0), generator) @ pair.true_pose
        followup = with_header_moved(pair.followup, move)
        found = register(pair.baseline, followup, seed=seed)
        errors.append(pair.error_mm(pose_of_transform(found.transform) @ move))
        if errors[-1] > FAILED_MM:
            check = check_registration(pair.baseline, followup, found.transform)
            caught.append(check.verdict is Verdict.FAILED)
    say(
        f"patient {patient}: failures from {starts} random starts (largest {max(errors):.2f} mm)",
        f"{len(caught)}, caught {sum(caught)}",
        "<= 1, all caught",
        len(caught) <= 1 and all(caught),
    )


def random_move(centre: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw a rigid move about `centre` from the balls of turns and shifts."""
    turn, shift = (x / np.linalg.norm(x) for x in generator.normal(size=(2, 3)))
    radii = generator.uniform(size=2) ** (1 / 3)
    angle = np.deg2rad(TURN_DEGREES * radii[0])
    return pose_about(rotation(turn * angle), centre, centre + shift * SHIFT_MM * radii[1])


def with_header_moved(image: sitk.Image, move: np.ndarray) -> sitk.Image:
    """Return the image with its header moved by a rigid pose."""
    copy = sitk.Image(image)
    copy.SetDirection((move[:3, :3] @ np.array(image.GetDirection()).reshape(3, 3)).ravel().tolist())
    copy.SetOrigin(apply_pose(move, np.array([image.GetOrigin()]))[0].tolist())
    return copy


def bench_check(pairs: dict[str, RealPair]) -> None:
    """Every cross pairing of patients, and every wrong transform, must fail the check."""
    scans = [(patient, scan) for patient, pair in pairs.items() for scan in (pair.baseline, pair.followup)]
    crossed = [
        check_registration(one, other, register(one, other).transform)
        for patient, one in scans
        for other_patient, other in scans
        if patient != other_patient
    ]
    failed = sum(check.verdict is Verdict.FAILED for check in crossed)
    highest = max(check.similarity for check in crossed)
    say(
        f"two patients fail the check (highest similarity {highest:.2f})",
        f"{failed} of {len(crossed)}",
        "all",
        failed == len(crossed),
    )
    generator, checks = np.random.default_rng(4), []
    for pair in pairs.values():
        centre = pair.in_baseline.mean(0)
        for shift_mm, degrees in WRONG * 4:
            turn, shift = (x / np.linalg.norm(x) for x in generator.normal(size=(2, 3)))
            off = pose_about(rotation(turn * np.deg2rad(degrees)), centre, centre + shift * shift_mm)
            transform = transform_of_pose(off @ pair.true_pose, centre)
            checks.append(check_registration(pair.baseline, pair.followup, transform).verdict)
    failed = sum(verdict is Verdict.FAILED for verdict in checks)
    say(
        "transforms off by 4 mm or 5 degrees, and more, fail",
        f"{failed} of {len(checks)}",
        "all",
        failed == len(checks),
    )


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--starts", type=int, default=50, help="random starts for each patient (0: none)")
    arguments.add_argument("--data", type=Path, default=DATA, help="folder of the public pairs")
    given = arguments.parse_args()
    pairs = {patient: read_pair(given.data / f"patient{patient}") for patient in ERROR_MM}
    for patient, pair in pairs.items():
        bench_pair(patient, pair)
    bench_check(pairs)
    for patient, pair in pairs.items():
        if given.starts:
            bench_starts(patient, pair, given.starts)


if __name__ == "__main__":
    main()
