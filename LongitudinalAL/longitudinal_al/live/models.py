"""The live loop's models: the one it has now, and its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, newest_committee
from longitudinal_al.network.committee import Committee
from longitudinal_al.project.records import Round
from longitudinal_al.project.store import Project


@dataclass(frozen=True)
class Model:
    """A network, and the labels it knows.

    Attributes
    ----------
    network : ChangeNetwork
        In evaluation mode.
    last_label : int
        The project's `last_label_number` when it learned; -1 where that is not known.
    path : Path
        Its file.
    others : tuple of ChangeNetwork
        The further members, where it is an ensemble.
    """

    network: ChangeNetwork
    last_label: int
    path: Path
    others: tuple[ChangeNetwork, ...] = ()


def live_model_path(folder: Path) -> Path:
    """Return where the quick model of the live loop lies."""
    return folder / "models" / "live.safetensors"


def model_of_round(finished: Round) -> Model:
    """Read the model of a round.

    Raises
    ------
    NotReady
        When its file is missing or damaged.
    """
    if finished.model is None:
        raise NotReady(f"round {finished.number} has no model: run `longitudinal-al train` again")
    number = finished.figures.get("last_label")
    first, *others = load_networks(finished.model)
    return Model(first, number if type(number) is int else -1, finished.model, tuple(others))


def current_committee(project: Project) -> Committee:
    """Return the networks that decide on masks now: the quick model, if it is the newest, and the rounds'.

    Raises
    ------
    NotReady
        When there is no model yet, or the file of the newest round is damaged.
    """
    live = live_model_path(project.folder)
    rounds = [finished.model for finished in project.rounds() if finished.model is not None]
    if _written(live) > max((_written(path) for path in rounds), default=-1):
        try:
            return newest_committee(project, load_networks(live))
        except NotReady:
            pass  # it is made again with the next label; a round's model serves as well
    return newest_committee(project)


def _written(path: Path) -> int:
    """Return when a file was written, -1 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1
