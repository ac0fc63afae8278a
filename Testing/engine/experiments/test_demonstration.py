"""The whole loop from a table to a report, on small scans and on the two public pairs."""

import json
import shutil

import pytest

from longitudinal_al.errors import InvalidInput
from longitudinal_al.experiments.demonstration import STRATEGIES, demonstrate, with_test_pairs
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.project.records import Split
from longitudinal_al.project.table import read_pairs_table

QUICK = TrainingSettings(
    steps=2, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)
HEADER = (
    "pair,patient,baseline,followup,reference,reference_transform,foreground,foreground_transform,split\n"
)


def public_table(open_ms, folder, pool: str, test: str):
    """Copy the public pairs beside a table that names them."""
    lines = []
    for patient, split in ((pool, "pool"), (test, "test")):
        shutil.copytree(open_ms / patient, folder / patient)
        common = f"{patient}/study1_FLAIR_to_common_space.txt"
        scans = f"{patient}/study1_FLAIR.nii.gz,{patient}/study2_FLAIR.nii.gz"
        masks = f"{patient}/gt.nii.gz,{common},{patient}/brainmask.nii.gz,{common}"
        lines.append(f"{patient},{patient},{scans},{masks},{split}\n")
    (folder / "pairs.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    return folder


def test_it_runs_on_the_public_pairs(open_ms, tmp_path):
    pool, test = "patient01", "patient03"
    data = public_table(open_ms, tmp_path / "data", pool, test)
    done = demonstrate(tmp_path / "out", data, training=QUICK)
    assert done.failures == []
    assert done.report.is_file()
    assert len(done.summary) == 5
    results = json.loads((tmp_path / "out" / "report" / "results.json").read_text(encoding="utf-8"))
    assert {entry["strategy"] for entry in results["results"]} == set(STRATEGIES)
    assert {name for entry in results["results"] for name in entry["per_patient"]} == {test}
    assert all(one["pair"] == pool for entry in results["results"] for one in entry["asked"])
    assert max(entry["fraction"] for entry in results["results"]) == pytest.approx(0.08, abs=0.02)


@pytest.fixture(scope="module")
def done_once(small_cohort, tmp_path_factory):
    """Return the folder of a demonstration on small scans, and what it found."""
    out = tmp_path_factory.mktemp("demonstration") / "out"
    return out, demonstrate(out, small_cohort.folder, training=QUICK)


def test_the_same_call_again_goes_on_where_it_was(small_cohort, done_once):
    out, first = done_once
    files = {file: file.stat().st_mtime_ns for file in (out / "report" / "rounds").iterdir()}
    again = demonstrate(out, small_cohort.folder, training=QUICK)
    assert again.summary == first.summary
    assert files == {file: file.stat().st_mtime_ns for file in files}


def test_patients_are_set_aside_when_the_table_does_not_say(small_cohort):
    pairs = [pair for pair in read_pairs_table(small_cohort.table) if pair.split is Split.POOL]
    splits = {pair.patient: pair.split for pair in with_test_pairs(pairs)}
    assert sorted(splits.values()) == [Split.POOL, Split.POOL, Split.TEST]


def test_one_patient_is_not_enough(small_cohort):
    with pytest.raises(InvalidInput, match="one patient"):
        with_test_pairs(read_pairs_table(small_cohort.table)[:1])


def test_pairs_without_reference_are_named(small_cohort, tmp_path):
    lines = small_cohort.table.read_text(encoding="utf-8").splitlines()
    rows = [",".join(line.split(",")[:4]) for line in lines]
    shutil.copytree(small_cohort.folder, tmp_path / "data")
    (tmp_path / "data" / "pairs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="pair p0 has no reference"):
        demonstrate(tmp_path / "out", tmp_path / "data", training=QUICK)


def test_other_scans_in_the_same_folder_are_refused(small_cohort, done_once, tmp_path):
    shutil.copytree(small_cohort.folder, tmp_path / "other")
    with pytest.raises(InvalidInput, match="other scans"):
        demonstrate(done_once[0], tmp_path / "other", training=QUICK)
