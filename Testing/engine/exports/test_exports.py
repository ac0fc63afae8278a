import csv
import json

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.bundle import ConfigParser, verify_net_in_out

from longitudinal_al.errors import NotReady, UnknownName
from longitudinal_al.exports.kinds import EXPORTS, export
from longitudinal_al.exports.nnunet import DATASET
from longitudinal_al.imaging.reading import same_grid
from longitudinal_al.network.change_list import NUMBERS_FILE, find_changes, write_changes
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.prediction import predict
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Decision


def voxels(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_labels_are_volumes_with_their_labelled_slices_named(labelled, tmp_path):
    files = export(labelled, "labels", tmp_path)
    assert {file.parent.name for file in files} == {"p0", "p3"}
    image = nibabel.load(tmp_path / "p0" / "labels.nii.gz")
    drawn = np.asarray(image.dataobj)
    assert drawn.dtype == np.uint8
    assert np.array_equal(np.flatnonzero(drawn.any(axis=(0, 1))), [10])
    assert drawn[20:25, 30:34, 10].all()
    assert drawn.sum() == 20
    slices = np.asarray(nibabel.load(tmp_path / "p0" / "labelled-slices.nii.gz").dataobj)
    assert np.array_equal(np.flatnonzero(slices.all(axis=(0, 1))), [10, 12])
    assert np.array_equal(np.flatnonzero(slices.any(axis=(0, 1))), [10, 12])
    scan = nibabel.load(labelled.pair_folder("p0") / "followup.nii.gz")
    assert np.allclose(image.affine, scan.affine, atol=1e-4)


def test_a_segmentation_names_its_segments_with_standard_terms(labelled, tmp_path):
    export(labelled, "labels", tmp_path)
    image = sitk.ReadImage(str(tmp_path / "p0" / "labels.seg.nrrd"))
    assert image.GetMetaData("Segment0_Name") == "change"
    assert image.GetMetaData("Segment0_LabelValue") == "1"
    assert "SCT^52988006^Lesion" in image.GetMetaData("Segment0_Tags")
    assert same_grid(image, sitk.ReadImage(str(labelled.pair_folder("p0") / "followup.nii.gz")))
    assert np.array_equal(sitk.GetArrayFromImage(image), voxels(tmp_path / "p0" / "labels.nii.gz"))


def test_nnunet_gets_three_channels_and_ignores_what_is_not_labelled(labelled, tmp_path):
    export(labelled, "nnunet", tmp_path)
    out = tmp_path / DATASET
    told = json.loads((out / "dataset.json").read_text())
    assert told["channel_names"] == {"0": "baseline", "1": "followup", "2": "difference"}
    assert told["labels"] == {"background": 0, "change": 1, "ignore": 2}
    assert told["numTraining"] == len(list((out / "labelsTr").iterdir())) == 1
    assert told["file_ending"] == ".nii.gz"
    for number, channel in enumerate(("baseline", "followup", "difference")):
        for where, pair in (("imagesTr", "p0"), ("imagesTs", "p3")):
            copied = voxels(out / where / f"{pair}_{number:04d}.nii.gz")
            assert np.array_equal(copied, voxels(labelled.pair_folder(pair) / f"{channel}.nii.gz"))
    labels = voxels(out / "labelsTr" / "p0.nii.gz")
    assert (labels[[index for index in range(len(labels)) if index not in (10, 12)]] == 2).all()
    assert set(np.unique(labels[10])) == {0, 1}
    assert not labels[12].any()
    assert (labels == 1).sum() == 20


def test_the_table_tells_where_every_label_comes_from(labelled, tmp_path):
    (file,) = export(labelled, "csv", tmp_path)
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 6
    first, taken_back = rows[0], [row for row in rows if row["slice"] == "11"][-1]
    assert first["pair"], first["patient"] == ("p0", "patient 0")
    assert first["annotator"] == "Ärztin"
    assert (first["seconds"], first["strategy"], first["score"]) == ("21.0", "entropy", "2.5")
    assert first["pixels of change"] == "20"
    assert (taken_back["withdrawn"], taken_back["counts"], taken_back["pixels of change"]) == ("1", "1", None)
    twice = [row for row in rows if row["slice"] == "12"]
    assert [row["counts"] for row in twice] == ["0", "1"]
    assert [row["suggestion_shown"] for row in twice] == ["0", "1"]


def test_rejected_changes_are_left_out_and_listed(labelled, tmp_path):
    grid = sitk.ReadImage(str(labelled.pair_folder("p0") / "foreground.nii.gz"))
    mask = np.zeros(grid.GetSize()[::-1], np.uint8)
    mask[10, 30:35, 30:35] = 1
    mask[14, 50:53, 40:43] = 1
    image = sitk.GetImageFromArray(mask)
    image.CopyInformation(grid)
    folder = labelled.folder / "predictions" / "p0"
    changes, numbers = find_changes(image, labelled.classes, 0)
    write_changes(folder, "p0", changes)
    sitk.WriteImage(image, str(folder / "change.nii.gz"))
    sitk.WriteImage(numbers, str(folder / NUMBERS_FILE))
    labelled.decide("p0", changes[0].id, Decision.REJECTED)
    labelled.decide("p0", changes[1].id, Decision.ACCEPTED)
    export(labelled, "predictions", tmp_path)
    kept = voxels(tmp_path / "p0" / "change.nii.gz")
    assert not kept[10].any()
    assert np.array_equal(kept[14], mask[14])
    assert np.array_equal(voxels(tmp_path / "p0" / "change.seg.nrrd"), kept)
    with (tmp_path / "changes.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["decision"] for row in rows] == ["rejected", "accepted"]
    assert float(rows[0]["volume_mm3"]) == 25 * 16


def test_the_bundle_s_network_says_what_the_project_s_does(with_model, tmp_path):
    export(with_model, "bundle", tmp_path)
    parser = ConfigParser()
    parser.read_config(str(tmp_path / "configs" / "inference.json"))
    parser.read_meta(str(tmp_path / "configs" / "metadata.json"))
    parser["bundle_root"] = str(tmp_path)
    network = parser.get_parsed_content("network").cpu()
    pool = Pool.open(with_model)
    rows = [3, 9]
    stacks = torch.from_numpy(pool.stacks(rows, 1)).float()
    with torch.no_grad():
        said = network(stacks.flatten(1, 2))[:, 0].numpy()
    networks = load_networks(with_model.rounds()[-1].model)
    (expected,) = predict(networks, pool, rows, device=torch.device("cpu"), turned=True)
    inside = expected.foreground.numpy()
    assert inside.any()
    assert np.abs(said - expected.members.mean(0).numpy())[inside].max() < 0.02  # the project's runs in bf16
    assert parser["_meta_#network_data_format#inputs#image#num_channels"] == 9


def test_monai_s_own_check_of_a_bundle_is_content(with_model, tmp_path):
    export(with_model, "bundle", tmp_path)
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(tmp_path / "configs" / "metadata.json"),
        config_file=str(tmp_path / "configs" / "inference.json"),
        device="cpu",
        n=4,
        bundle_root=str(tmp_path),
    )


@pytest.mark.parametrize("what", EXPORTS)
def test_with_nothing_to_export_it_says_what_is_missing_and_writes_nothing(small_project, tmp_path, what):
    with pytest.raises(NotReady, match="yet"):
        export(small_project, what, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_kind_names_the_known_ones(labelled, tmp_path):
    with pytest.raises(UnknownName, match="nnunet"):
        export(labelled, "magic", tmp_path)


def test_no_scan_s_path_and_no_header_leaks(with_model, small_cohort, tmp_path):
    for what in ("labels", "nnunet", "bundle", "csv"):
        export(with_model, what, tmp_path / what)
    for file in tmp_path.rglob("*"):
        if file.suffix in (".json", ".csv", ".md"):
            assert str(small_cohort.folder) not in file.read_text(encoding="utf-8")
