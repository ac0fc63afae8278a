import errno
import os
import shutil
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import Cancelled
from longitudinal_al.imaging.poses import pose_of_transform
from longitudinal_al.imaging.reading import read_scan, same_grid
from longitudinal_al.pairs import pair_preparation
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.project.records import GivenRegistration, PairState, Split, Verdict
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

VOLUMES = ("baseline", "followup", "difference", "foreground", "reference")


def voxels(folder, name) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}.nii.gz")))


def test_everything_lies_on_the_followups_own_grid(small_project):
    for pair in small_project.pairs():
        followup = read_scan(pair.followup)
        for name in VOLUMES:
            image = sitk.ReadImage(str(small_project.pair_folder(pair.id) / f"{name}.nii.gz"))
            assert same_grid(image, followup), (pair.id, name)


def test_the_registration_is_found_and_trusted(small_project, small_cohort):
    for pair in small_project.pairs():
        found = sitk.ReadTransform(str(small_project.pair_folder(pair.id) / "transform.tfm"))
        true = sitk.ReadTransform(str(small_cohort.folder / pair.id / "true.tfm"))
        points = [(x, y, z) for x in (-40, 40) for y in (-40, 40) for z in (-20, 20)]
        apart = [np.linalg.norm(np.subtract(found.TransformPoint(p), true.TransformPoint(p))) for p in points]
        assert np.mean(apart) < 1.0, pair.id
        assert pair.verdict is not Verdict.FAILED


def test_change_stands_out_in_the_difference_and_nothing_else_does(small_project):
    folder = small_project.pair_folder("p0")
    difference, foreground = voxels(folder, "difference"), voxels(folder, "foreground") > 0
    change = voxels(folder, "reference") > 0
    inside = change & (difference != 0)
    assert np.median(difference[inside]) > 8
    assert np.median(np.abs(difference[foreground & ~change])) < 1.5
    assert not difference[~foreground].any()


def test_normalised_scans_have_median_0_and_spread_1_in_the_foreground(small_project):
    folder = small_project.pair_folder("p1")
    inside = voxels(folder, "foreground") > 0
    for name in ("baseline", "followup"):
        values = voxels(folder, name)[inside]
        assert abs(np.median(values)) < 0.05
        assert abs(1.4826 * np.median(np.abs(values - np.median(values))) - 1) < 0.05


def test_the_pool_counts_the_slices_that_meet_the_foreground(small_project):
    expected = 0
    for pair in small_project.pairs(Split.POOL):
        expected += int((voxels(small_project.pair_folder(pair.id), "foreground") > 0).any(axis=(1, 2)).sum())
    assert small_project.status()["pool_slice_pairs"] == expected == len(Pool.open(small_project))


def test_preparing_again_touches_nothing_until_a_scan_changes(small_project):
    record = small_project.pair_folder("p0") / "prepared.json"
    before = record.stat().st_mtime_ns
    prepare_project(small_project)
    assert record.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["difference.nii.gz", "stack.npy", "prepared.json", "transform.tfm"])
def test_a_lost_file_is_made_again(small_project, name):
    file = small_project.pair_folder("p1") / name
    file.unlink()
    prepare_project(small_project)
    assert file.is_file()
    assert Prepared.read(file.parent) is not None


def test_a_pair_that_fails_stays_out_and_the_others_go_on(small_cohort, tmp_path):
    with Project.create(tmp_path / "p") as project:
        pairs = read_pairs_table(small_cohort.table)[:2]
        broken = tmp_path / "broken.nii.gz"
        broken.write_bytes(b"not an image")
        project.add_pairs([pairs[0], type(pairs[1])("bad", "x", pairs[1].baseline, broken)])
        (failure,) = prepare_project(project)
        assert failure.pair == "bad"
        assert "broken.nii.gz" in failure.reason
        assert project.pair("bad").state is PairState.FAILED
        assert set(Pool.open(project).pairs) == {"p0"}


def test_two_patients_in_one_pair_are_kept_out(small_cohort, tmp_path):
    first, second = read_pairs_table(small_cohort.table)[:2]
    with Project.create(tmp_path / "p") as project:
        project.add_pairs([type(first)("mixed", "x", first.baseline, second.followup)])
        (failure,) = prepare_project(project)
        assert failure.pair == "mixed"
        assert "two different patients" in failure.reason
        assert project.pair("mixed").verdict is Verdict.FAILED


def by_hand(transform, refine):
    pose = pose_of_transform(transform)
    return GivenRegistration(tuple(pose.ravel().tolist()), refine)


def apart_mm(project, small_cohort, pair="p0"):
    found = sitk.ReadTransform(str(project.pair_folder(pair) / "transform.tfm"))
    true = sitk.ReadTransform(str(small_cohort.folder / pair / "true.tfm"))
    points = [(x, y, z) for x in (-40, 40) for y in (-40, 40) for z in (-20, 20)]
    return np.mean(
        [np.linalg.norm(np.subtract(found.TransformPoint(p), true.TransformPoint(p))) for p in points]
    )


def test_a_registration_by_hand_is_taken_as_it_is_or_searched_from(small_project, small_cohort):
    off = sitk.Euler3DTransform(
        (0.0, 0.0, 0.0), 0.02, -0.03, 0.05, (3.0, -4.0, 4.5)
    )  # 2.5 mm beside the truth
    small_project.set_registration("p0", by_hand(off, refine=False))
    small_project.overrule("p0", Verdict.GOOD)
    assert prepare_project(small_project) == []
    assert apart_mm(small_project, small_cohort) == pytest.approx(2.5, abs=0.01)
    assert small_project.pair("p0").verdict is Verdict.GOOD
    assert "the check said" in small_project.pair("p0").reason
    small_project.set_registration("p0", by_hand(off, refine=True))
    assert prepare_project(small_project) == []
    assert apart_mm(small_project, small_cohort) < 1.0
    small_project.set_registration("p0", None)
    assert prepare_project(small_project) == []
    assert apart_mm(small_project, small_cohort) < 1.0


def test_the_check_has_no_last_word_and_a_pair_set_aside_stays_aside(small_cohort, tmp_path):
    first, second = read_pairs_table(small_cohort.table)[:2]
    with Project.create(tmp_path / "p") as project:
        project.add_pairs([type(first)("mixed", "x", first.baseline, second.followup)])
        assert len(prepare_project(project)) == 1
        project.overrule("mixed", Verdict.LOOK, "anna")
        assert prepare_project(project) == []
        pair = project.pair("mixed")
        assert (pair.state, pair.verdict) == (PairState.PREPARED, Verdict.LOOK)
        project.overrule("mixed", Verdict.FAILED)
        assert prepare_project(project) == []
        assert project.pair("mixed").state is PairState.FAILED


class CallOff:
    """Calls the work off at its n-th question whether to go on, and at every later one."""

    def __init__(self, at: int) -> None:
        self.at, self.asked = at, 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.asked += 1
        if self.asked >= self.at:
            raise Cancelled("called off")


def test_calling_it_off_reaches_every_step_of_a_pair_and_leaves_it_unprepared(small_cohort, tmp_path):
    with Project.create(tmp_path / "p") as project:
        project.add_pairs(read_pairs_table(small_cohort.table)[:1])
        counting = CallOff(at=10**9)
        prepare_project(project, interrupt=counting)
        (pair,) = project.pairs()
        assert pair.state is PairState.PREPARED
    for at in range(1, counting.asked + 1, counting.asked // 5):
        with Project.create(tmp_path / f"p{at}") as project:
            project.add_pairs(read_pairs_table(small_cohort.table))
            with pytest.raises(Cancelled):
                prepare_project(project, interrupt=CallOff(at))
            assert {pair.state for pair in project.pairs()} == {PairState.ADDED}
            assert not list(project.folder.rglob("*.tmp.*"))
            assert not list(project.folder.rglob("prepared.json"))
    assert counting.asked >= 10


def test_a_given_foreground_ends_where_the_baseline_does(small_cohort, tmp_path):
    first = read_pairs_table(small_cohort.table)[0]
    shorter, mask = tmp_path / "baseline.nii.gz", tmp_path / "mask.nii.gz"
    baseline = read_scan(first.baseline)
    sitk.WriteImage(baseline[:, :, 7:], str(shorter))
    inside = sitk.GetArrayFromImage(read_scan(first.followup)) > 20
    image = sitk.GetImageFromArray(inside.astype(np.uint8))
    image.CopyInformation(read_scan(first.followup))
    sitk.WriteImage(image, str(mask))
    with Project.create(tmp_path / "p") as project:
        project.add_pairs([replace(first, baseline=shorter, foreground=mask)])
        assert prepare_project(project) == []
        pool = Pool.open(project)
        kept = voxels(project.pair_folder("p0"), "foreground") > 0
        covered = voxels(project.pair_folder("p0"), "baseline") != 0
    lost = inside.any(axis=(1, 2)).nonzero()[0].min(), kept.any(axis=(1, 2)).nonzero()[0].min()
    assert lost[1] > lost[0]
    assert min(entry.slice for entry in pool.entries) == lost[1]
    assert (kept & ~covered).sum() < 0.02 * kept.sum()
    assert not (kept & ~inside).any()


def test_a_prepared_pair_stays_so_while_its_scans_cannot_be_found(small_cohort, tmp_path):
    scans = tmp_path / "share"
    shutil.copytree(small_cohort.folder, scans)
    with Project.create(tmp_path / "p") as project:
        project.add_pairs(read_pairs_table(scans / "pairs.csv")[:1])
        assert prepare_project(project) == []
        before = project.pair("p0")
        record = (project.pair_folder("p0") / "prepared.json").read_bytes()
        (scans / "p0").rename(scans / "away")
        told: list[str] = []
        assert prepare_project(project, tell=told.append) == []
        assert project.pair("p0") == before
        assert "p0" in told[0] and "baseline.nii.gz" in told[0]
        assert len(Pool.open(project).entries) == before.slice_pairs
        (scans / "away").rename(scans / "p0")
        assert prepare_project(project, tell=told.append) == []
        assert (project.pair_folder("p0") / "prepared.json").read_bytes() == record
        assert len(told) == 1


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EIO, errno.EHOSTDOWN])
def test_scans_on_a_share_that_is_dead_are_as_those_that_cannot_be_found(small_project, monkeypatch, fault):
    before = small_project.pair("p0")
    stat = Path.stat

    def dead(path: Path, **how):
        if path == before.baseline:
            raise OSError(fault, os.strerror(fault), str(path))
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", dead)
    told: list[str] = []
    assert prepare_project(small_project, tell=told.append) == []
    assert small_project.pair("p0") == before
    assert len(told) == 1 and "p0" in told[0]


@pytest.mark.parametrize(("said", "verdict"), [(Verdict.GOOD, Verdict.GOOD), (None, Verdict.LOOK)])
def test_a_human_s_verdict_is_above_the_dates_of_the_scans(small_project, monkeypatch, said, verdict):
    if said is not None:
        small_project.overrule("p0", said, "anna")
    (small_project.pair_folder("p0") / "stack.npy").unlink()
    later = small_project.pair("p0").baseline
    monkeypatch.setattr(
        pair_preparation, "acquisition_time", lambda scan: datetime(2024, 1, 31 if scan == later else 1)
    )
    assert prepare_project(small_project) == []
    pair = small_project.pair("p0")
    assert (pair.verdict, pair.overruled) == (verdict, said)
    assert "swapped" in pair.reason


def test_what_is_said_while_a_pair_is_prepared_counts_more(small_project, small_cohort):
    (small_project.pair_folder("p0") / "stack.npy").unlink()

    def set_aside(pair: str, share: float) -> None:
        if share == 0.0:  # it has begun
            small_project.overrule("p0", Verdict.FAILED, "anna")

    assert prepare_project(small_project, progress=set_aside) == []
    pair = small_project.pair("p0")
    assert (pair.state, pair.verdict, pair.slice_pairs) == (PairState.FAILED, Verdict.FAILED, 0)
