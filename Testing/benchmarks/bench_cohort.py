"""Accuracy on the demo's cohort: full labelling, its peers, a round of training, and label efficiency.

Uses the project that `make demo` leaves (made when it is missing). `--strategies a,b,c` and `--seeds K`
choose what the label efficiency is measured for; by default every strategy, with one seed.
`--only training --set patch=64 batch=24 moved=1 --seeds K` measures full labelling with other settings of
training or augmentation, and `--project DIR` in another project.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from monai.networks.nets import BasicUNet

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.experiments.comparison import simulate
from longitudinal_al.experiments.curves import MARGIN, learning_curves, smallest_fraction
from longitudinal_al.experiments.demonstration import BUDGET, ROUNDS, demonstrate
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.simulation import reference_masks
from longitudinal_al.network.architecture import Architecture, ChangeNetwork, input_channels
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.pretraining import labels_alone, start_of
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.painted_slice_pairs import PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project

DEMO = Path(__file__).resolve().parents[2] / "demo"
LEAST_DICE, TIMES_THE_THRESHOLD, PEER_DICE = 0.75, 2.0, 0.02
LABELS, ROUND_SECONDS, ROUND_DICE = 100, 90.0, 0.02
SETTINGS = TrainingSettings()


class Peer(torch.nn.Module):
    """MONAI's BasicUNet with default features, in the shape of the change network."""

    def __init__(self) -> None:
        super().__init__()
        self.architecture = Architecture()
        self.drop = torch.nn.Identity()
        self.net = BasicUNet(spatial_dims=2, in_channels=input_channels(1), out_channels=1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net(image)[:, 0], image.mean((2, 3))


def learn(
    labelled: LabelledSlicePairs,
    test: TestPairs,
    settings: TrainingSettings = SETTINGS,
    start: ChangeNetwork | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Train, from pretrained weights unless others are given; return the test patients' Dice and the seconds.

    Pretraining is done once for a project, and does not count.
    """
    start = start or start_of(None, labelled.pool, settings, seed=seed)
    begun = perf_counter()
    network = train(labelled, settings, seed=seed, start=start)
    seconds = perf_counter() - begun
    dice = test.measure(Committee.of([network])).dice
    assert dice is not None
    return dice, seconds


def verdict(reached: bool) -> str:
    """Return how a figure is marked."""
    return "ok" if reached else "MISSED"


def full_labelling(pool: Pool, masks: dict[int, np.ndarray], test: TestPairs) -> Iterator[str]:
    """Compare the network with the best threshold and with the peer, all slice pairs labelled."""
    labelled = LabelledSlicePairs(pool, masks)
    dice, seconds = learn(labelled, test)
    yield f"full labelling, {len(pool)} slice pairs: lesion Dice {dice:.3f} in {seconds:.0f} s"
    yield f"  at least {LEAST_DICE}  {verdict(dice >= LEAST_DICE)}"
    threshold = best_threshold_dice(test)["dice"]
    ratio = dice / threshold
    yield f"best threshold on the difference image: {threshold:.3f}; the network's is {ratio:.2f} times that"
    yield f"  at least {TIMES_THE_THRESHOLD} times  {verdict(ratio >= TIMES_THE_THRESHOLD)}"
    torch.manual_seed(0)
    start = train(PaintedSlicePairs(pool), labels_alone(SETTINGS, pool), seed=0, start=Peer())
    peer, peer_seconds = learn(labelled, test, start=start)
    yield f"BasicUNet, the same training: lesion Dice {peer:.3f} in {peer_seconds:.0f} s"
    yield f"  the network within {PEER_DICE} of it or above  {verdict(dice >= peer - PEER_DICE)}"


def changed(settings: TrainingSettings, assignments: Sequence[str]) -> TrainingSettings:
    """Return the settings with some of them, or of their augmentation, set: words such as ``patch=64``."""
    for name, text in (assignment.split("=", 1) for assignment in assignments):
        if hasattr(settings.augmentation, name):
            settings = replace(settings, augmentation=replace(settings.augmentation, **{name: float(text)}))
        else:
            kind = type(getattr(settings, name))
            settings = replace(settings, **{name: kind(text)})
    return settings


def other_training(
    pool: Pool, masks: dict[int, np.ndarray], test: TestPairs, settings: TrainingSettings, seeds: int
) -> Iterator[str]:
    """Say what full labelling reaches with these settings, seed by seed."""
    labelled = LabelledSlicePairs(pool, masks)
    for seed in range(seeds):
        dice, seconds = learn(labelled, test, settings, seed=seed)
        yield f"full labelling, seed {seed}: lesion Dice {dice:.3f} in {seconds:.0f} s"


def one_round(pool: Pool, masks: dict[int, np.ndarray], test: TestPairs) -> Iterator[str]:
    """Compare a round at 100 labels with training four times as long."""
    rows = np.random.default_rng(0).choice(len(pool), LABELS, replace=False)
    labelled = LabelledSlicePairs(pool, {int(row): masks[int(row)] for row in rows})
    dice, seconds = learn(labelled, test)
    longer, _ = learn(labelled, test, replace(SETTINGS, steps=4 * SETTINGS.steps))
    yield f"a round at {LABELS} labels: {seconds:.0f} s  {verdict(seconds <= ROUND_SECONDS)}"
    yield f"  lesion Dice {dice:.3f}, four times as long {longer:.3f}  {verdict(dice >= longer - ROUND_DICE)}"


def label_efficiency(project: Project, strategies: Sequence[str], seeds: int) -> Iterator[str]:
    """Say for each strategy at which share of the pool it comes within 0.03 of full labelling."""
    batch = max(1, round(BUDGET * project.status()["pool_slice_pairs"] / ROUNDS))
    results = simulate(project, strategies, BUDGET, batch, seeds, DEMO / "report")
    full = results["full"]["dice"]
    yield f"label efficiency, {seeds} seed(s); full labelling {full:.3f}"
    for curve in learning_curves(results, "dice"):
        fraction = smallest_fraction(curve, full)
        heights = " ".join(f"{value:.3f}" for value in curve.mean)
        reached = "not reached" if fraction is None else f"reached at {fraction:.1%}"
        yield f"  {curve.strategy:18s} {heights}   full - {MARGIN}: {reached}"


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", choices=["full", "round", "efficiency", "training"])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--project", type=Path, default=DEMO / "project")
    chosen = parser.parse_args()
    if not (DEMO / "report" / "results.json").is_file():
        demonstrate(DEMO)
    settings = changed(SETTINGS, chosen.set)
    with Project.open(chosen.project) as project:
        pool, test = Pool.open(project), TestPairs(project)
        masks = reference_masks(pool)
        parts = {
            "full": lambda: full_labelling(pool, masks, test),
            "round": lambda: one_round(pool, masks, test),
            "training": lambda: other_training(pool, masks, test, settings, chosen.seeds),
            "efficiency": lambda: label_efficiency(project, chosen.strategies.split(","), chosen.seeds),
        }
        for name, part in parts.items():
            if chosen.only in (None, name):
                for line in part():
                    print(line, flush=True)


if __name__ == "__main__":
    main()
