"""Networks on disk, as safetensors: numbers and a small JSON header, nothing that could run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.project.files import write_bytes
from longitudinal_al.project.store import Project

FORMAT = "longitudinal-al-networks-1"


def save_networks(networks: Sequence[ChangeNetwork], path: Path, *, within: Path | None = None) -> None:
    """Write an ensemble of networks of one architecture, whole or not at all (see `write_atomically`)."""
    tensors = {
        f"{member}/{name}": tensor.detach().cpu().contiguous()
        for member, network in enumerate(networks)
        for name, tensor in network.state_dict().items()
    }
    header = {
        "format": FORMAT,
        "members": str(len(networks)),
        "architecture": json.dumps(networks[0].architecture.as_dict()),
    }
    write_bytes(path, save(tensors, header), within=within)


def load_networks(path: Path) -> list[ChangeNetwork]:
    """Read an ensemble of networks.

    Raises
    ------
    NotReady
        When the file is missing, damaged or of another format; training again makes it anew.
    """
    try:
        with safe_open(str(path), "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if header.get("format") != FORMAT:
            raise KeyError("format")
        settings = json.loads(header["architecture"])
        architecture = Architecture(**{**settings, "widths": tuple(settings["widths"])})
        return [_network(architecture, tensors, member) for member in range(int(header["members"]))]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise NotReady(
            f"{path}: the model is missing or damaged; run `longitudinal-al train` again"
        ) from error


def _network(architecture: Architecture, tensors: dict[str, torch.Tensor], member: int) -> ChangeNetwork:
    network = ChangeNetwork(architecture)
    prefix = f"{member}/"
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    network.load_state_dict(own)
    return network.eval()


def newest_model(project: Project) -> list[ChangeNetwork]:
    """Return the networks of the newest round.

    Raises
    ------
    NotReady
        When there is no round yet, or its model is missing or damaged.
    """
    for finished in reversed(project.rounds()):
        if finished.model is not None:
            return load_networks(finished.model)
    raise NotReady(
        f"{project.folder}: there is no model yet; label a few slice pairs (the strategies `difference`, "
        "`strided` and `random` need none), then run `longitudinal-al train`"
    )
