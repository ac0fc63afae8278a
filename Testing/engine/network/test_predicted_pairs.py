import pytest
import SimpleITK as sitk

from longitudinal_al.errors import NotReady
from longitudinal_al.imaging.reading import read_scan, same_grid
from longitudinal_al.network.change_list import CHANGES_FILE, NUMBERS_FILE, read_changes
from longitudinal_al.network.checkpoint import save_networks
from longitudinal_al.network.predicted_pairs import FOLLOWUP_GRID, PAIR_GRID, predict_pairs
from longitudinal_al.project.records import Round, utc_now


@pytest.fixture
def with_model(small_project, saying):
    network = saying(9.0)  # "change" everywhere, so that the outcome is known
    path = small_project.folder / "models" / "made.safetensors"
    save_networks([network], path)
    small_project.add_round(Round(1, None, 0, 0, utc_now(), utc_now(), path))
    return small_project


def test_masks_lie_on_the_pairs_and_the_followups_grid(with_model, tmp_path):
    files = predict_pairs(with_model, None, tmp_path / "out")
    assert {file.name for file in files} == {PAIR_GRID, FOLLOWUP_GRID}
    assert {file.name for file in (tmp_path / "out" / "p0").iterdir()} >= {NUMBERS_FILE, CHANGES_FILE}
    for pair in with_model.pairs():
        foreground = sitk.GetArrayFromImage(
            sitk.ReadImage(str(with_model.pair_folder(pair.id) / "foreground.nii.gz"))
        )
        for name in (PAIR_GRID, FOLLOWUP_GRID):
            mask = sitk.ReadImage(str(tmp_path / "out" / pair.id / name))
            assert same_grid(mask, read_scan(pair.followup))
            differs = (sitk.GetArrayFromImage(mask) > 0) != (foreground > 0)
            assert differs.mean() < 1e-3  # pixels are interpolated on the way to the network and back


def test_the_changes_are_listed_beside_the_mask(with_model, tmp_path):
    predict_pairs(with_model, ["p0"], tmp_path)
    changes = read_changes(tmp_path / "p0")
    mask = sitk.ReadImage(str(tmp_path / "p0" / PAIR_GRID))
    numbers = sitk.ReadImage(str(tmp_path / "p0" / NUMBERS_FILE))
    volume = sitk.GetArrayFromImage(mask).sum() * 2.0 * 2.0 * 4.0
    assert sum(change.volume_mm3 for change in changes) == pytest.approx(volume)
    assert same_grid(mask, numbers)


def test_one_pair_is_enough(with_model, tmp_path):
    files = predict_pairs(with_model, ["p3"], tmp_path / "out")
    assert {file.parent.name for file in files} == {"p3"}


def test_without_a_model_it_says_what_to_do(small_project, tmp_path):
    with pytest.raises(NotReady, match="longitudinal-al train"):
        predict_pairs(small_project, None, tmp_path / "out")


def test_a_pair_that_is_not_prepared_is_named(with_model, tmp_path):
    with pytest.raises(NotReady, match="pair nobody"):
        predict_pairs(with_model, ["nobody"], tmp_path / "out")


def test_the_share_done_grows_slice_by_slice_so_that_it_can_be_called_off_within_a_pair(with_model, tmp_path):
    reports = []
    predict_pairs(
        with_model, ["p0", "p3"], tmp_path / "out", lambda name, share: reports.append((name, share))
    )
    shares = [share for _, share in reports]
    assert shares == sorted(shares)
    for name, first, last in (("p0", 0.0, 0.5), ("p3", 0.5, 1.0)):
        own = [share for pair, share in reports if pair == name]
        assert len(own) > 10
        assert first <= min(own) < max(own) < last
    assert reports[-1] == ("done", 1.0)
