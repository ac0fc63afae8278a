"""Every command on small scans, end to end; the names, options and JSON keys that others rely on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project


def test_register_writes_the_transform_and_its_verdict(cli, small_cohort, tmp_path: Path) -> None:
    pair = small_cohort.folder / "p0"
    out = tmp_path / "ä.tfm"
    done = cli(
        "register", pair / "baseline.nii.gz", pair / "followup.nii.gz", "--transform", out, "--json"
    ).done()
    assert {"seconds", "verdict", "similarity", "reason"} <= done.json.keys()
    assert done.json["verdict"] in {"good", "look", "failed"}
    assert done.json["seconds"] > 0
    found, true = sitk.ReadTransform(str(out)), sitk.ReadTransform(str(pair / "true.tfm"))
    for point in ((0.0, 0.0, 0.0), (30.0, 30.0, 20.0), (-40.0, 20.0, -10.0)):
        assert np.linalg.norm(np.subtract(found.TransformPoint(point), true.TransformPoint(point))) < 1.0


def test_a_project_from_nothing_to_prepared(process, small_cohort, tmp_path: Path) -> None:
    folder = tmp_path / "prøject"
    process("create", folder).done()
    assert process("add", folder, "--table", small_cohort.table, "--json").done().json["added"] == 4
    assert "4 pairs to prepare" in process("status", folder).done().out
    prepared = process("prepare", folder, "--json").done().json
    assert (prepared["prepared"], prepared["failures"]) == (4, [])
    assert "to prepare" not in process("status", folder).done().out
    status = process("status", folder, "--json", "--check").done().json
    expected = {"pairs": 4, "patients": 4, "labelled": 0, "rounds": 0, "failed_pairs": 0, "problems": []}
    assert {key: status[key] for key in expected} == expected
    assert status["slice_pairs"] == prepared["slice_pairs"] > 40
    for name in ("baseline", "followup", "difference", "foreground"):
        assert (folder / "pairs" / "p0" / f"{name}.nii.gz").is_file()


def test_add_takes_one_pair_by_options(cli, small_cohort, tmp_path: Path) -> None:
    cli("create", tmp_path / "p").done()
    scans = small_cohort.folder / "p0"
    one = ["--pair", "x", "--patient", "Zoë", "--baseline", scans / "baseline.nii.gz"]
    one += ["--followup", scans / "followup.nii.gz", "--reference", scans / "reference.nii.gz"]
    one += ["--reference-transform", scans / "true.tfm", "--foreground", scans / "reference.nii.gz"]
    one += ["--foreground-transform", scans / "true.tfm", "--split", "test"]
    cli("add", tmp_path / "p", *one).done()
    assert "added before" in cli("add", tmp_path / "p", *one).done().out
    with Project.open(tmp_path / "p") as project:
        (pair,) = project.pairs()
    assert (pair.id, pair.patient, pair.split.value) == ("x", "Zoë", "test")
    assert pair.reference_transform == (scans / "true.tfm").resolve()
    cli("add", tmp_path / "p").refused("either --table")
    cli("add", tmp_path / "p", "--table", small_cohort.table, "--pair", "y").refused("either --table")
    cli("add", tmp_path / "p", "--pair", "y", "--patient", "A").refused("--baseline is missing")


def test_unknown_columns_are_told_beside_the_result(cli, small_cohort, tmp_path: Path) -> None:
    table = small_cohort.folder / "with age.csv"
    lines = small_cohort.table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([f"{lines[0]},age", *(f"{line},50" for line in lines[1:])]), encoding="utf-8")
    cli("create", tmp_path / "p").done()
    done = cli("add", tmp_path / "p", "--table", table, "--json").done()
    assert done.json["added"] == 4
    assert "unknown columns are not used: age" in done.err


def test_rank_is_a_list_best_first_with_reasons(cli, small_project: Project) -> None:
    ranking = (
        cli("rank", small_project.folder, "--strategy", "difference", "--batch", 5, "--json").done().json
    )
    assert len(ranking) == 5
    assert all({"pair", "patient", "slice", "score", "reason"} <= entry.keys() for entry in ranking)
    scores = [entry["score"] for entry in ranking]
    assert scores == sorted(scores, reverse=True)
    assert all(len(entry["reason"]) > 10 for entry in ranking)
    table = (
        cli("rank", small_project.folder, "--strategy", "difference", "--batch", 5).done().out.splitlines()
    )
    assert table[0].split() == ["pair", "patient", "slice", "score", "reason"]
    assert len(table) == 6


def test_spacing_zero_lets_neighbours_through(cli, small_project: Project) -> None:
    def distances(spacing: float) -> set[int]:
        rank = [
            "rank",
            small_project.folder,
            "--strategy",
            "difference",
            "--batch",
            12,
            "--spacing-mm",
            spacing,
        ]
        ranking = cli(*rank, "--json").done().json
        slices = {(entry["pair"], entry["slice"]) for entry in ranking}
        return {abs(a - b) for pair, a in slices for other, b in slices if pair == other and a != b}

    assert 1 in distances(0)
    assert min(distances(9)) >= 3  # slices are 4 mm apart


def test_random_ranking_follows_the_seed(cli, small_project: Project) -> None:
    def ranking(seed: int) -> list[tuple[str, int]]:
        rank = ["rank", small_project.folder, "--strategy", "random", "--batch", 8, "--seed", seed, "--json"]
        return [(entry["pair"], entry["slice"]) for entry in cli(*rank).done().json]

    assert ranking(1) == ranking(1) != ranking(2)


def test_labels_from_a_file_the_reference_or_without_change(
    cli, small_project: Project, tmp_path: Path
) -> None:
    folder, (first, second, third) = small_project.folder, changed_slices(small_project)[:3]
    followup = sitk.ReadImage(str(folder / "pairs" / "p0" / "followup.nii.gz"))
    drawn = np.zeros(followup.GetSize()[::-1], np.uint8)
    drawn[first, 30:35, 20:27] = 1
    drawn[second] = 1
    image = sitk.GetImageFromArray(drawn)
    image.CopyInformation(followup)
    sitk.WriteImage(image, str(tmp_path / "drawn.nrrd"))
    label = ["label", folder, "--pair", "p0", "--slice"]
    done = cli(*label, first, "--mask", tmp_path / "drawn.nrrd", "--annotator", "Zoë", "--json").done().json
    assert (done["pair"], done["slice"], done["changed_pixels"], done["labelled"]) == ("p0", first, 35, 1)
    cli(*label, second, "--from-reference").done()
    cli(*label, third, "--no-change").done()
    masks = {each.slice: each for each in small_project.labels()}
    np.testing.assert_array_equal(masks[first].mask, drawn[first])
    reference = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "pairs" / "p0" / "reference.nii.gz")))
    np.testing.assert_array_equal(masks[second].mask, reference[second])
    assert masks[second].mask.any()
    assert not masks[third].mask.any()
    assert (masks[first].annotator, masks[second].annotator) == ("Zoë", "reference")


def test_a_label_is_withdrawn_and_its_history_kept(cli, small_project: Project) -> None:
    place = [small_project.folder, "--pair", "p0", "--slice", "9"]
    cli("label", *place, "--withdraw").refused("no label")
    cli("label", *place[:-1], "9" * 20, "--withdraw").refused("no label")
    cli("label", *place, "--from-reference", "--annotator", "Anna").done()
    done = cli("label", *place, "--withdraw", "--annotator", "Berta", "--json").done().json
    assert done == {"pair": "p0", "slice": 9, "annotator": "Berta", "labelled": 0, "withdrawn": True}
    assert small_project.label("p0", 9) is None
    assert [version.label is None for version in small_project.label_history("p0", 9)] == [False, True]


def test_a_label_without_a_name_is_that_of_who_is_logged_in(cli, small_project: Project, monkeypatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carla")
    cli(
        "label", small_project.folder, *["--pair", "p0", "--slice", "9", "--no-change", "--annotator", ""]
    ).done()
    assert small_project.label("p0", 9).annotator == "carla"


def test_a_label_remembers_what_asked_for_it(cli, small_project: Project) -> None:
    folder = small_project.folder
    best = cli("rank", folder, "--strategy", "difference", "--batch", 1, "--json").done().json[0]
    cli("label", folder, "--pair", best["pair"], "--slice", best["slice"], "--from-reference").done()
    (saved,) = small_project.labels()
    assert (saved.strategy, saved.score) == ("difference", best["score"])
    other = next(entry for entry in Pool.open(small_project).entries if entry.pair != best["pair"])
    cli("label", folder, "--pair", other.pair, "--slice", other.slice, "--no-change").done()
    assert small_project.label(other.pair, other.slice).strategy is None


def test_evaluate_measures_a_mask_against_itself_and_nothing(
    cli, small_project: Project, tmp_path: Path
) -> None:
    file = small_project.folder / "pairs" / "p0" / "reference.nii.gz"
    same = cli("evaluate", file, file, "--json").done().json
    assert list(same) == [
        *("dice", "hd95_mm", "lesion_sensitivity", "lesion_precision", "lesion_f1", "reference_lesions"),
        *("predicted_lesions", "false_lesions", "false_volume_mm3"),
    ]
    assert (same["dice"], same["hd95_mm"], same["lesion_f1"], same["reference_lesions"]) == (1, 0, 1, 1)
    empty = sitk.ReadImage(str(file)) * 0
    sitk.WriteImage(empty, str(tmp_path / "empty.nii.gz"))
    nothing = cli("evaluate", tmp_path / "empty.nii.gz", tmp_path / "empty.nii.gz", "--json").done().json
    assert (nothing["dice"], nothing["hd95_mm"], nothing["false_lesions"]) == (None, None, 0)
    assert "dice                 1.000" in cli("evaluate", file, file).done().out


def test_train_rank_and_predict(cli, quick: None, small_project: Project, tmp_path: Path) -> None:
    folder = small_project.folder
    for slice_index in changed_slices(small_project):
        cli("label", folder, "--pair", "p0", "--slice", slice_index, "--from-reference").done()
    trained = cli("train", folder, "--seed", 3, "--json").done().json
    assert (trained["round"], trained["seed"]) == (1, 3)
    assert trained["labelled"] == len(changed_slices(small_project))
    assert Path(trained["model"]).is_file()
    assert cli("status", folder, "--json").done().json["rounds"] == 1
    ranking = cli("rank", folder, "--strategy", "entropy", "--batch", 3, "--json").done().json
    assert len(ranking) == 3
    assert all(entry["score"] >= 0 for entry in ranking)
    predicted = cli("predict", folder, "--pair", "p0", "--out", tmp_path / "masks", "--json").done().json
    assert predicted["files"]
    followup = sitk.ReadImage(str(folder / "pairs" / "p0" / "followup.nii.gz"))
    for file in predicted["files"]:
        mask = sitk.ReadImage(file)
        assert mask.GetSize() == followup.GetSize()
        assert set(np.unique(sitk.GetArrayFromImage(mask))) <= {0, 1}
    every = cli("predict", folder, "--out", tmp_path / "all", "--json").done().json
    assert len(every["files"]) == 4 * len(predicted["files"])
    otherwise = ("--pretraining", 2, "--consistency", 0.5, "--alignment", 0.1)
    figures = cli("train", folder, *otherwise, "--json").done().json["figures"]
    assert (figures["pretraining"], figures["consistency"], figures["alignment"]) == (2, 0.5, 0.1)
    cli("rank", folder, "--strategy", "score_per_second", "--batch", 2).done()


def test_simulate_gives_results_and_goes_on_where_it_stopped(
    cli, quick: None, small_project: Project, tmp_path: Path
) -> None:
    words = ["simulate", small_project.folder, "--strategies", "random,difference", "--budget", "0.1"]
    words += ["--batch", 3, "--seeds", 1, "--out", tmp_path / "trial", "--json"]
    first = cli(*words).done().json
    assert first["pool_slice_pairs"] == len(Pool.open(small_project))
    assert {"dice", "lesion_f1"} <= first["full"].keys()
    keys = "strategy seed round labelled fraction dice lesion_f1 train_seconds score_seconds".split()  # noqa: SIM905
    assert all(set(keys) <= result.keys() for result in first["results"])
    assert {result["strategy"] for result in first["results"]} == {"random", "difference"}
    assert (
        json.loads((tmp_path / "trial" / "results.json").read_text(encoding="utf-8"))["results"]
        == first["results"]
    )
    assert "<html" in (tmp_path / "trial" / "report.html").read_text(encoding="utf-8")
    assert cli(*words).done().json["results"] == first["results"]


def test_synthesize_writes_a_table_that_add_takes(cli, tmp_path: Path) -> None:
    done = cli("synthesize", tmp_path / "cohort", "--patients", 1, "--seed", 5, "--json").done()
    assert done.json["table"].endswith("pairs.csv")
    cli("create", tmp_path / "p").done()
    assert (
        cli("add", tmp_path / "p", "--table", tmp_path / "cohort" / "pairs.csv", "--json")
        .done()
        .json["added"]
        == 1
    )


def test_strategies_name_their_paper(cli) -> None:
    rows = {row["name"]: row for row in cli("strategies", "--json").done().json}
    assert {
        *("random", "entropy", "difference_entropy", "least_confidence", "margin", "dropout_entropy", "bald"),
        *("kcenter", "cluster_margin", "hybrid", "strided", "difference"),
    } <= rows.keys()
    assert "2511.18007" in rows["hybrid"]["paper"]
    assert "hybrid" in cli("strategies").done().out


def changed_slices(project: Project) -> list[int]:
    """Return slices of pair p0 that show change."""
    file = project.folder / "pairs" / "p0" / "reference.nii.gz"
    return [
        int(k) for k in np.flatnonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(file))).any(axis=(1, 2)))
    ]
