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
from longitudinal_al.network.committee import TOGETHER, Committee
from longitudinal_al.project.files import write_bytes
from longitudinal_al.project.store import Project

FORMAT = "longitudinal-al-networks-1"


def save_networks(
    networks: Sequence[ChangeNetwork],
    path: Path,
    *,
    within: Path | None = None,
    weights: Sequence[float] = (),
) -> None:
    """Write networks of one architecture, whole or not at all (see `write_atomically`).

    They may have weights, where they are a committee; see `load_committee`.
    """
    tensors = {
        f"{member}/{name}": tensor.detach().cpu().contiguous()
        for member, network in enumerate(networks)
        for name, tensor in network.state_dict().items()
    }
    header = {
        "format": FORMAT,
        "members": str(len(networks)),
        "architecture": json.dumps(networks[0].architecture.as_dict()),
        "weights": json.dumps(list(weights)),
    }
    write_bytes(path, save(tensors, header), within=within)


def load_networks(path: Path) -> list[ChangeNetwork]:
    """Read networks.

    Raises
    ------
    NotReady
        When the file is missing, damaged or of another format; training again makes it anew.
    """
    return list(load_committee(path).networks)


def load_committee(path: Path) -> Committee:
    """Read networks with their weights; equal ones where none were given.

    Raises
    ------
    NotReady
        As `load_networks`.
    """
    try:
        with safe_open(str(path), "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if header.get("format") != FORMAT:
            raise KeyError("format")
        settings = json.loads(header["architecture"])
        architecture = Architecture(**{**settings, "widths": tuple(settings["widths"])})
        networks = [_network(architecture, tensors, member) for member in range(int(header["members"]))]
        return Committee.of(networks, json.loads(header.get("weights", "[]")))
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


def newest_committee(project: Project, newest: Sequence[ChangeNetwork] = ()) -> Committee:
    """Return the networks of a project that decide on masks together: those of its newest rounds.

    Parameters
    ----------
    project : Project
        Whose rounds they are; a round weighs as many as it has labels, and earlier ones that are missing,
        damaged or of another architecture have no say.
    newest : sequence of ChangeNetwork
        Networks that know all of the project's labels, if there are newer ones than those of a round.

    Raises
    ------
    NotReady
        When there is no model yet, or that of the newest round is missing or damaged.
    """
    rounds = [(done.model, done.labels) for done in reversed(project.rounds()) if done.model is not None]
    if newest:
        networks, learned = list(newest), project.status()["labelled"]
    else:
        networks = newest_model(project)
        _, learned = rounds.pop(0)
    labels = [max(1, learned) / len(networks)] * len(networks)
    for path, labelled in rounds:
        if len(networks) >= TOGETHER:
            break
        try:
            earlier = load_networks(path)[0]
        except NotReady:
            continue
        if earlier.architecture == networks[0].architecture:
            networks.append(earlier)
            labels.append(max(1, labelled))
    return Committee.of(networks, labels)


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
