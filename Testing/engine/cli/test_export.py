import pytest


def test_labels_become_files_for_others(cli, prepared_once, tmp_path):
    import shutil

    project = tmp_path / "project"
    shutil.copytree(prepared_once, project)
    cli("label", project, "--pair", "p0", "--slice", 10, "--from-reference").done()
    told = cli("export", project, "--what", "csv", "--out", tmp_path / "out", "--json").done().json
    assert told == {"what": "csv", "files": [str(tmp_path / "out" / "labels.csv")]}
    assert (tmp_path / "out" / "labels.csv").is_file()


@pytest.mark.parametrize("what", ["labels", "predictions", "nnunet", "bundle", "csv"])
def test_nothing_to_export_is_said(cli, prepared_once, tmp_path, what):
    cli("export", prepared_once, "--what", what, "--out", tmp_path / "out").refused("yet")


def test_an_unknown_kind_is_wrong_usage(cli, prepared_once, tmp_path):
    outcome = cli("export", prepared_once, "--what", "magic", "--out", tmp_path)
    assert outcome.status == 2
    assert "nnunet" in outcome.err
