"""Bad input: the message names the file or field and what to do, nothing is half done, no traceback."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project


def write(path: Path, voxels: np.ndarray, like: Path | None = None) -> Path:
    image = sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4)
    if like:
        image.CopyInformation(sitk.ReadImage(str(like)))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def scans(small_cohort) -> Path:
    """Return the folder with the scans of one good pair."""
    return small_cohort.folder / "p0"


def bad_scans(folder: Path, good: Path) -> dict[str, tuple[Path, str]]:
    """Write scans that cannot be used; returns for each kind the file and a word of its message."""
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(good)))
    hole = voxels.copy()
    hole[5, 5, 5] = np.nan
    text = folder / "text.nii.gz"
    text.write_text("I am a letter")
    (folder / "empty").mkdir()
    return {
        "missing": (folder / "nowhere.nii.gz", "no such file"),
        "not an image": (text, "not an image"),
        "not finite": (write(folder / "nan.nii.gz", hole, good), "NaN"),
        "constant": (write(folder / "zero.nii.gz", voxels * 0, good), "empty"),
        "one slice": (write(folder / "one.nii.gz", voxels[:1]), "one slice"),
        "colour": (write(folder / "rgb.nrrd", np.stack([voxels] * 3, -1).astype(np.uint8)), "channels"),
        "no series": (folder / "empty", "DICOM"),
    }


KINDS = ["missing", "not an image", "not finite", "constant", "one slice", "colour", "no series"]


@pytest.mark.parametrize("kind", KINDS)
def test_register_names_the_scan_that_cannot_be_used(cli, scans: Path, tmp_path: Path, kind: str) -> None:
    good = scans / "baseline.nii.gz"
    bad, word = bad_scans(tmp_path, good)[kind]
    out = tmp_path / "out.tfm"
    for pair in ((good, bad), (bad, good)):
        cli("register", *pair, "--transform", out, "--json").refused(str(bad), word)
    assert not out.exists()


def test_register_checks_where_it_is_to_write(cli, scans: Path, tmp_path: Path) -> None:
    pair = scans / "baseline.nii.gz", scans / "followup.nii.gz"
    cli("register", *pair, "--transform", tmp_path / "out.docx").refused("out.docx", ".tfm")


def test_prepare_sets_bad_pairs_aside_with_a_reason_and_goes_on(cli, scans: Path, tmp_path: Path) -> None:
    good, followup = scans / "baseline.nii.gz", scans / "followup.nii.gz"
    project = tmp_path / "project"
    cli("create", project).done()
    bad = {kind: each for kind, each in bad_scans(tmp_path, good).items() if kind != "missing"}
    for number, (file, _) in enumerate(bad.values()):
        pair = ["--pair", f"bad{number}", "--patient", number, "--baseline", file, "--followup", followup]
        cli("add", project, *pair).done()
    lone = cli("prepare", project)
    assert lone.status == 1
    assert lone.out.startswith("prepared 0 pairs")
    one = ["--pair", "good", "--patient", "good", "--baseline", good, "--followup", followup]
    cli("add", project, *one).done()
    done = cli("prepare", project, "--json").done().json
    assert (done["prepared"], done["failed_pairs"]) == (1, len(bad))
    for failure, (file, word) in zip(done["failures"], bad.values(), strict=True):
        assert word in failure["reason"]
        assert str(file) in failure["reason"]
    status = cli("status", project, "--json").done().json
    assert status["failed_pairs"] == len(bad)
    assert status["failures"] == done["failures"]
    label = ["label", project, "--pair", "bad0", "--slice", 3, "--no-change"]
    cli(*label).refused("bad0", "not prepared", "failed")


def test_references_that_cannot_be_used(cli, scans: Path, tmp_path: Path) -> None:
    followup = scans / "followup.nii.gz"
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(scans / "reference.nii.gz")))
    references = {
        "grid": (write(tmp_path / "grid.nii.gz", np.ones((9, 9, 9), np.uint8)), "reference_transform"),
        "grey": (write(tmp_path / "grey.nii.gz", voxels * 0.3 + 0.1, followup), "not a mask"),
        "text": (tmp_path / "text.nii.gz", "not an image"),
    }
    references["text"][0].write_text("no image")
    project = tmp_path / "project"
    cli("create", project).done()
    for name, (file, _) in references.items():
        pair = ["--pair", name, "--patient", name, "--baseline", scans / "baseline.nii.gz"]
        cli("add", project, *pair, "--followup", followup, "--reference", file).done()
    cli("prepare", project)
    status = cli("status", project, "--json").done().json
    failures = {each["pair"]: each["reason"] for each in status["failures"]}
    for name, (file, word) in references.items():
        assert word in failures[name]
        assert str(file) in failures[name]


def test_the_table_is_checked_before_anything_is_added(cli, small_cohort, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    shutil.copytree(small_cohort.folder, folder)
    header, *rows = (folder / "pairs.csv").read_text(encoding="utf-8").splitlines()
    mistakes = {
        "column": ([header.replace("followup", "later"), *rows], ("row 1", "'followup' is missing")),
        "twice": ([header, *rows, rows[0]], ("row 6", "column pair", "'p0' is there already")),
        "outside": ([header, *rows, "x,x,../a.nii,p0/followup.nii.gz,,"], ("row 6", "--allow-outside")),
        "same": ([header, "x,x,p0/baseline.nii.gz,p0/baseline.nii.gz,,"], ("row 2", "same file")),
        "gone": ([header, *rows, "x,x,p0/baseline.nii.gz,nowhere.nii,,"], ("row 6", "column followup")),
    }
    project = tmp_path / "project"
    cli("create", project).done()
    for name, (lines, words) in mistakes.items():
        table = folder / f"{name}.csv"
        table.write_text("\n".join(lines), encoding="utf-8")
        cli("add", project, "--table", table).refused(str(table), *words)
    assert cli("status", project, "--json").done().json["pairs"] == 0
    cli("prepare", project).refused("no pairs yet", "longitudinal-al add")


def test_outside_paths_can_be_allowed(cli, small_cohort, tmp_path: Path) -> None:
    lines = small_cohort.table.read_text(encoding="utf-8").replace("p0/", f"{small_cohort.folder}/p0/")
    inside = "\n".join(lines.splitlines()[:2])
    table = tmp_path / "pairs.csv"
    table.write_text(inside, encoding="utf-8")
    cli("create", tmp_path / "project").done()
    cli("add", tmp_path / "project", "--table", table).refused("leads out", "--allow-outside")
    cli("add", tmp_path / "project", "--table", table, "--allow-outside").done()


def test_labels_that_do_not_fit(cli, small_project: Project, scans: Path, tmp_path: Path) -> None:
    folder = small_project.folder
    followup = folder / "pairs" / "p0" / "followup.nii.gz"
    shape = sitk.GetArrayFromImage(sitk.ReadImage(str(followup))).shape
    other = write(tmp_path / "other grid.nii.gz", np.ones(shape, np.uint8))
    grey = write(tmp_path / "grey.nii.gz", np.random.default_rng(0).random(shape), followup)
    two = write(
        tmp_path / "two.nii.gz", np.arange(np.prod(shape)).reshape(shape).astype(np.uint8) % 3, followup
    )
    label = ["label", folder, "--pair", "p0", "--slice", 9]
    cli(*label, "--mask", other).refused("other grid.nii.gz", "'p0'", "followup.nii.gz", "resample")
    cli(*label, "--mask", grey).refused("grey.nii.gz", "not a mask")
    cli(*label, "--mask", two).refused("two.nii.gz", "not a mask")
    cli(*label, "--mask", tmp_path / "nowhere.nii").refused("nowhere.nii", "no such file")
    cli("label", folder, "--pair", "p9", "--slice", 9, "--no-change").refused("no pair 'p9'", "p0, p1")
    cli("label", folder, "--pair", "p0", "--slice", 24, "--no-change").refused("--slice 24", "0 to 23")
    assert small_project.labels() == []
    (folder / "pairs" / "p0" / "reference.nii.gz").unlink()
    cli(*label, "--from-reference").refused("p0", "no reference")


def test_a_label_outside_the_pool_is_kept_and_said(cli, small_project: Project) -> None:
    slices = {entry.slice for entry in Pool.open(small_project).entries if entry.pair == "p0"}
    outside = min(set(range(24)) - slices)
    words = ["label", small_project.folder, "--pair", "p0", "--slice"]
    assert "outside the pool" in cli(*words, outside, "--no-change").done().err
    assert cli(*words, min(slices), "--no-change").done().err == ""
    assert small_project.labelled() == {("p0", outside), ("p0", min(slices))}


def test_steps_that_come_too_early_say_what_is_missing(cli, small_project: Project, tmp_path: Path) -> None:
    folder = small_project.folder
    cli("rank", folder, "--strategy", "entropy", "--batch", 3).refused(
        "no model yet", "longitudinal-al train"
    )
    cli("train", folder).refused("label")
    cli("predict", folder, "--out", tmp_path / "out").refused("longitudinal-al train")
    cli("create", tmp_path / "new").done()
    cli("rank", tmp_path / "new", "--strategy", "random", "--batch", 3).refused("prepare")


def test_unknown_names_list_the_known_ones(cli, small_project: Project, tmp_path: Path) -> None:
    folder = small_project.folder
    cli("rank", folder, "--strategy", "entropie", "--batch", 3).refused(
        "'entropie'", "difference_entropy", "kcenter"
    )
    simulate = ["simulate", folder, "--strategies", "random,magic", "--budget", "0.1"]
    cli(*simulate, "--batch", 3, "--seeds", 1, "--out", tmp_path / "out").refused("'magic'", "random")


def test_masks_on_different_grids_are_not_compared(cli, scans: Path, tmp_path: Path) -> None:
    reference = scans / "reference.nii.gz"
    other = write(tmp_path / "other.nii.gz", sitk.GetArrayFromImage(sitk.ReadImage(str(reference))))
    cli("evaluate", other, reference, "--json").refused(str(other), str(reference), "grid", "resample")
    grey = write(tmp_path / "grey.nii.gz", np.random.default_rng(0).random((24, 80, 72)), reference)
    cli("evaluate", grey, reference).refused("grey.nii.gz", "not a mask")


def test_a_file_where_a_folder_is_needed_is_said(cli, small_project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    cli("create", tmp_path / "file").refused("file where a folder is needed")
    cli("label", small_project.folder, *["--pair", "p0", "--slice", "9", "--no-change"]).done()
    out = ["--what", "csv", "--out", tmp_path / "file"]
    cli("export", small_project.folder, *out).refused("file where a folder is needed")


def test_projects_that_cannot_be_opened(cli, tmp_path: Path) -> None:
    cli("status", tmp_path / "nowhere").refused("nowhere", "longitudinal-al create")
    folder = tmp_path / "project"
    cli("create", folder).done()
    cli("create", folder).refused(str(folder), "already")
    connection = sqlite3.connect(folder / "project.sqlite")
    connection.execute("PRAGMA user_version = 77")
    connection.close()
    cli("status", folder).refused("newer version", "update")
    (folder / "project.sqlite").write_bytes(b"garbage" * 1000)
    label = ["label", folder, "--pair", "a", "--slice", "1", "--no-change"]
    for words in (["status", folder], ["prepare", folder], ["train", folder], label):
        cli(*words).refused("project.sqlite", "damaged", "backup")


def test_the_check_reports_problems_with_status_one(cli, small_project: Project) -> None:
    shutil.rmtree(small_project.folder / "pairs" / "p1")
    done = cli("status", small_project.folder, "--check", "--json")
    assert done.status == 1
    (problem,) = done.json["problems"]
    assert "'p1'" in problem
    assert "run prepare" in problem


def test_two_preparations_of_one_project_exclude_each_other(cli, small_project: Project) -> None:
    with small_project.writer_lock("preparing"):
        cli("prepare", small_project.folder).refused("busy", "is preparing", "run the same command again")
        cli("train", small_project.folder).refused("busy", "is preparing")
        cli("label", small_project.folder, *["--pair", "p0", "--slice", "9", "--no-change"]).done()


def test_the_check_names_a_pair_whose_files_were_cut(cli, small_project: Project) -> None:
    stack = small_project.folder / "pairs" / "p1" / "stack.npy"
    stack.write_bytes(stack.read_bytes()[:1000])
    done = cli("status", small_project.folder, "--check", "--json")
    assert done.status == 1
    (problem,) = done.json["problems"]
    assert "'p1'" in problem
    assert "missing or damaged; run prepare" in problem


def test_one_scan_that_was_cut_off_keeps_no_other_pair_from_being_prepared(
    cli, scans: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes((scans / "followup.nii.gz").read_bytes()[:-2_000])
    cli("create", tmp_path / "p").done()
    for name, followup in (("bad", cut), ("good", scans / "followup.nii.gz")):
        words = ["--pair", name, "--patient", name, "--baseline", scans / "baseline.nii.gz"]
        cli("add", tmp_path / "p", *words, "--followup", followup).done()
    done = cli("prepare", tmp_path / "p", "--json").done().json
    assert done["prepared"] == 1
    (failure,) = done["failures"]
    assert failure["pair"] == "bad"
    assert f"{cut}: the file is cut off or damaged" in failure["reason"]


def test_an_empty_foreground_is_named(cli, scans: Path, tmp_path: Path) -> None:
    followup = scans / "followup.nii.gz"
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(followup)))
    empty = write(tmp_path / "brain.nii.gz", np.zeros(voxels.shape, np.uint8), followup)
    cli("create", tmp_path / "p").done()
    words = ["--pair", "a", "--patient", "a", "--baseline", scans / "baseline.nii.gz"]
    cli("add", tmp_path / "p", *words, "--followup", followup, "--foreground", empty).done()
    done = cli("prepare", tmp_path / "p", "--json")
    assert done.status == 1
    assert f"{empty}: the mask is empty" in done.json["failures"][0]["reason"]


def test_options_that_are_missing_are_named_as_options(cli, small_project: Project) -> None:
    cli("add", small_project.folder, "--pair", "a", "--patient", "b").refused("--baseline is missing")


def test_a_folder_without_a_name_is_not_the_present_one(cli, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli("create", "").refused("the folder's name is empty", status=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--consistency", "--alignment"])
@pytest.mark.parametrize("value", ["-1", "inf", "much"])
def test_a_weight_that_is_none_is_refused(cli, small_project: Project, option: str, value: str) -> None:
    cli("train", small_project.folder, f"{option}={value}").refused(option, status=2)
