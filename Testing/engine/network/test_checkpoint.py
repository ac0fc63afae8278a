import pickle

import pytest
import torch
from safetensors.torch import save_file

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import Architecture, ChangeNetwork, input_channels
from longitudinal_al.network.checkpoint import load_networks, save_networks


def two_networks() -> list[ChangeNetwork]:
    return [ChangeNetwork(Architecture(widths=(8, 16, 16, 24), neighbours=0)).eval() for _ in range(2)]


def test_an_ensemble_comes_back_as_it_was(tmp_path):
    file = tmp_path / "modèle.safetensors"
    networks = two_networks()
    save_networks(networks, file)
    again = load_networks(file)
    image = torch.randn(1, input_channels(0), 32, 32)
    assert len(again) == 2
    for before, after in zip(networks, again, strict=True):
        assert after.architecture == before.architecture
        torch.testing.assert_close(after(image)[0], before(image)[0])


@pytest.mark.parametrize("damage", ["missing", "cut", "garbage", "foreign", "pickle"])
def test_a_bad_file_says_what_to_do(tmp_path, damage):
    file = tmp_path / "model.safetensors"
    save_networks(two_networks(), file)
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage == "garbage":
        file.write_bytes(b"\0" * 4000)
    elif damage == "foreign":
        save_file({"a": torch.zeros(3)}, str(file))
    else:
        file.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(NotReady, match="longitudinal-al train"):
        load_networks(file)
