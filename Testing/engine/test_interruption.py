"""Long work is called off between any two of its steps: found by counting the looks, never by time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.choosing import acquire
from longitudinal_al.errors import Cancelled
from longitudinal_al.imaging.difference import DIFFERENCES, difference
from longitudinal_al.imaging.foreground import compute_foreground
from longitudinal_al.imaging.poses import pose_of_transform
from longitudinal_al.imaging.reading import read_scan
from longitudinal_al.imaging.registration import register
from longitudinal_al.imaging.registration_check import check_pose, reduced_scans
from longitudinal_al.lessons import learn, read_lesson
from longitudinal_al.live.anytime import AnytimeRanking
from longitudinal_al.live.publication import Publication
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pair_preparation import prepare_pair
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project

TINY = Architecture(widths=(8, 8, 16, 16))
Work = Callable[[Callable[[], None]], object]


def looks_of(work: Work) -> int:
    """Run some work to its end, and return how often it looked whether it is called off."""
    looks = []
    work(lambda: looks.append(1))
    return len(looks)


def stops_at(work: Work, wanted: int) -> bool:
    """Call some work off at one of its looks; tell whether that ended it there, on every thread."""
    looks = []

    def interrupt() -> None:
        looks.append(1)
        if len(looks) >= wanted:
            raise Cancelled("the test calls it off")

    with pytest.raises(Cancelled):
        work(interrupt)
    after = len(looks)
    return wanted <= after <= wanted + 3  # threads beside are told too


def assert_stops_everywhere(work: Work, least: int) -> None:
    looks = looks_of(work)
    assert looks >= least
    for wanted in sorted({1, 2, looks // 2, looks - 1, looks}):
        assert stops_at(work, max(1, wanted)), f"look {wanted} of {looks}"


@pytest.fixture(scope="module")
def scans(small_cohort) -> tuple[sitk.Image, sitk.Image]:
    folder = small_cohort.table.parent
    return read_scan(folder / "p0" / "baseline.nii.gz"), read_scan(folder / "p0" / "followup.nii.gz")


def test_the_registration_and_its_check(scans) -> None:
    baseline, followup = scans
    work = lambda interrupt: register(baseline, followup, interrupt=interrupt)  # noqa: E731
    assert looks_of(work) > 100  # at every turn of the search and at every step of a refinement
    assert stops_at(work, 10)
    assert stops_at(work, 60)
    affine = looks_of(lambda interrupt: register(baseline, followup, "affine", interrupt=interrupt))
    assert affine > looks_of(work)
    pose = pose_of_transform(register(baseline, followup).transform)
    reduced = reduced_scans(baseline, followup)
    assert_stops_everywhere(lambda interrupt: check_pose(reduced, pose, interrupt), 5)


@pytest.mark.parametrize(("kind", "least"), [("plain", 6), ("robust", 16)])
def test_the_difference(scans, kind: str, least: int) -> None:
    assert kind in DIFFERENCES
    _, followup = scans
    baseline = followup + 0.01 * sitk.AdditiveGaussianNoise(followup, 3.0, 0.0, 1)
    foreground = compute_foreground(followup)
    images = (baseline, followup, foreground)
    assert_stops_everywhere(lambda interrupt: difference(*images, kind=kind, interrupt=interrupt), least)


def test_the_foreground(scans) -> None:
    _, followup = scans
    assert_stops_everywhere(lambda interrupt: compute_foreground(followup, followup, interrupt), 8)


def test_a_whole_pair(small_project: Project, tmp_path) -> None:
    pair = small_project.pair("p0")
    work = lambda interrupt: prepare_pair(tmp_path, pair, "key", 2.0, interrupt=interrupt)  # noqa: E731
    looks = looks_of(work)
    slices = len(Pool.open(small_project).pairs["p0"].record.slices)
    assert looks > 150 + slices
    for wanted in (1, looks // 2, looks - slices - 12, looks - slices // 2, looks):
        (tmp_path / "prepared.json").unlink(missing_ok=True)
        assert stops_at(work, wanted)
        assert not (tmp_path / "prepared.json").exists()  # the record comes last: the pair is not prepared


def pool_of(count: int) -> Candidates:
    generator = np.random.default_rng(3)
    features = generator.normal(size=(count + 200, 8)).astype(np.float32)
    pair = np.array([f"p{k % 7}" for k in range(count + 200)])
    columns = {
        "pair": pair,
        "patient": pair,
        "slice": np.arange(count + 200),
        "position_mm": np.zeros(count + 200),
    }
    open_, done = np.arange(count), np.arange(count, count + 200)
    labelled = LabelledSlices(**{name: each[done] for name, each in columns.items()}, features=features[done])
    return Candidates(
        **{name: each[open_] for name, each in columns.items()},
        score=generator.random(count),
        features=features[open_],
        labelled=labelled,
    )


@pytest.mark.parametrize("name", ["random", "strided", "entropy", "kcenter", "hybrid", "cluster_margin"])
def test_every_selector_while_it_chooses(name: str) -> None:
    candidates, selector = pool_of(2000), STRATEGIES[name].selector

    def work(interrupt: Callable[[], None]) -> list[int]:
        return selector(candidates, 12, Neighbours(0.0), np.random.default_rng(0), interrupt)

    assert_stops_everywhere(work, 12)
    assert len(work(lambda: None)) == 12


@pytest.mark.parametrize("name", ["kcenter", "hybrid"])
def test_comparing_with_many_labelled_slice_pairs(name: str) -> None:
    candidates = pool_of(300)
    none = replace(candidates, labelled=LabelledSlices())
    selector = STRATEGIES[name].selector

    def looks(among: Candidates) -> int:
        return looks_of(
            lambda interrupt: selector(among, 5, Neighbours(), np.random.default_rng(0), interrupt)
        )

    assert looks(candidates) == looks(none) + 4  # 64 labelled ones at a time


def test_clustering_the_pool() -> None:
    def looks(count: int) -> int:
        candidates, selector = pool_of(count), STRATEGIES["cluster_margin"].selector
        return looks_of(
            lambda interrupt: selector(candidates, 3, Neighbours(), np.random.default_rng(0), interrupt)
        )

    assert looks(9000) > looks(900) + 5  # at every mini-batch


@pytest.fixture
def labelled(small_project: Project) -> Project:
    pool = Pool.open(small_project)
    for entry in pool.entries[::9]:
        mask = np.ascontiguousarray(pool.pairs[entry.pair].reference_slices()[entry.slice])
        small_project.save_label(Label(entry.pair, entry.slice, mask, "tester", utc_now(), utc_now()))
    return small_project


def test_ranking_reports_slice_pairs_and_looks_at_labelled_ones_too(labelled: Project) -> None:
    pool = Pool.open(labelled)
    rows = [pool.index[key] for key in labelled.labelled()]
    said: list[tuple[str, int, int]] = []
    acquire(
        pool,
        STRATEGIES["kcenter"],
        [ChangeNetwork(TINY).eval()],
        rows,
        4,
        spacing_mm=0.0,
        seed=0,
        progress=lambda *told: said.append(told),
    )
    scoring = [(done, total) for phase, done, total in said if phase == "scoring"]
    assert {total for _, total in scoring} == {len(pool)}
    counts = [done for done, _ in scoring]
    assert counts == sorted(counts)
    assert len(pool) - len(rows) in counts  # then come the labelled ones
    assert counts[-1] == len(pool)
    assert len(set(counts)) > len(pool) // 16
    assert [phase for phase, _, _ in said].count("choosing") >= 4


def test_reading_the_labels_and_beginning_to_learn(labelled: Project) -> None:
    count = len(labelled.labelled())
    pool = Pool.open(labelled)
    assert_stops_everywhere(lambda interrupt: read_lesson(labelled, pool, interrupt), count)
    lesson = read_lesson(labelled, pool)
    settings = TrainingSettings(steps=2, pretraining=0, batch=2, patch=32, architecture=TINY)

    def work(interrupt: Callable[[], None]) -> object:
        return learn(lesson, settings, seed=0, progress=lambda share: interrupt())

    assert looks_of(work) == count + 2
    assert_stops_everywhere(work, count)
    pairs = len(labelled.pairs())
    assert_stops_everywhere(lambda interrupt: Pool.open(labelled, interrupt=interrupt), pairs)


@pytest.mark.parametrize("name", ["entropy", "hybrid"])
def test_publishing_leaves_the_ranking_before(labelled: Project, name: str) -> None:
    ranking = AnytimeRanking(Pool.open(labelled), STRATEGIES[name], batch=5, spacing_mm=5.0, head=16, seed=0)
    ranking.take_labels(labelled.labelled())
    publication = Publication(ranking, 5.0, 0)
    publication.write(labelled.folder, None, 0)
    before = ranking_path(labelled.folder).read_bytes()
    ranking.take_model(ChangeNetwork(TINY).eval())
    while ranking.waiting:
        ranking.score_chunk(64, lambda: None)

    def work(interrupt: Callable[[], None]) -> object:
        return publication.write(labelled.folder, None, 0, interrupt)

    for wanted in (1, 4, 7):
        assert stops_at(work, wanted)
        assert ranking_path(labelled.folder).read_bytes() == before
    compared = name == "hybrid"  # with those labelled
    assert looks_of(work) == 7 + compared  # to begin with, at each of 5 choices, before the file is written
    assert ranking_path(labelled.folder).read_bytes() != before
