"""How much `prepare` adds to the registration that it contains, on the two public pairs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from longitudinal_al.imaging.reading import read_scan
from longitudinal_al.imaging.registration import register
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.records import Pair
from longitudinal_al.project.store import Project

DATA = Path(
    os.environ.get("LONGITUDINALAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data" / "open_ms")
)
MOST_TIMES = 2.5


def pair_of(patient: str) -> Pair:
    """Return a public pair with everything that its folder holds."""
    folder = DATA / patient
    to_common = folder / "study1_FLAIR_to_common_space.txt"
    return Pair(
        id=patient,
        patient=patient,
        baseline=folder / "study1_FLAIR.nii.gz",
        followup=folder / "study2_FLAIR.nii.gz",
        reference=folder / "gt.nii.gz",
        reference_transform=to_common,
        foreground=folder / "brainmask.nii.gz",
        foreground_transform=to_common,
    )


def registration_seconds(pair: Pair) -> float:
    """Return the time of the registration alone, the scans read already."""
    baseline, followup = read_scan(pair.baseline), read_scan(pair.followup)
    start = time.perf_counter()
    register(baseline, followup)
    return time.perf_counter() - start


def prepare_seconds(pairs: Sequence[Pair], folder: Path) -> float:
    """Return the time of `prepare`, all in."""
    with Project.create(folder) as project:
        project.add_pairs(pairs)
        start = time.perf_counter()
        failures = prepare_project(project)
        assert not failures, failures
        return time.perf_counter() - start


def figure(what: str, pairs: Sequence[Pair], turns: int = 3) -> str:
    """Compare `prepare` of some pairs with their registrations alone, in turns."""
    registration, whole = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for turn in range(turns):
            registration.append(sum(registration_seconds(pair) for pair in pairs))
            whole.append(prepare_seconds(pairs, Path(temporary) / str(turn)))
    ratio = min(whole) / min(registration)
    verdict = "ok" if ratio <= MOST_TIMES else "MISSED"
    seconds = f"{min(whole):.1f} s, of which registration {min(registration):.1f} s"
    return f"prepare, {what}: {seconds}; ratio {ratio:.2f} (at most {MOST_TIMES})  {verdict}"


def main() -> None:
    """Print one line a project."""
    first, second = pair_of("patient01"), pair_of("patient03")
    for what, pairs in (("both patients", [first, second]), ("01 alone", [first]), ("03 alone", [second])):
        print(figure(what, pairs), flush=True)


if __name__ == "__main__":
    main()
