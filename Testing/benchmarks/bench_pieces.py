"""How masks are best made of what an experiment's networks say: Dice and F1 of several ways.

`bench_pieces.py FOLDER/typical --networks 20`: a cohort's folder of `longitudinal-al experiment`. The
networks are as they were learned; what differs is what counts as a piece of change (`network.sure_pieces`),
and whether the networks look at slices both ways up (`network.upside_down`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.sure_pieces import THRESHOLD, pair_probability, sure_pieces
from longitudinal_al.project.store import Project

SURE = (THRESHOLD, 0.7, 0.8, 0.9, 0.95, 0.98)


def measured(test: TestPairs, file: Path) -> np.ndarray:
    """Return Dice and F1, for one look and both, and each of `SURE`: (2, 6, 2)."""
    networks = load_networks(file)
    figures = np.zeros((2, len(SURE), 2))
    for looks, turned in enumerate((False, True)):
        found = {
            name: pair_probability(Committee.of(networks), test.pool, name, len(one), turned=turned)
            for name, one in test.references.items()
        }
        for place, sure in enumerate(SURE):
            held_out = test.compare({name: sure_pieces(one, sure) for name, one in found.items()})
            figures[looks, place] = held_out.dice, held_out.lesion_f1
    return figures


def main() -> None:
    """Print the means over networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--networks", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with Project.open(arguments.cohort / "project") as project:
        test = TestPairs(project)
    kept = sorted((arguments.cohort / "simulation" / "networks").glob("*.safetensors"))
    files = [file for file in kept if not file.name.startswith("pretrained")][: arguments.networks]
    each = np.array([measured(test, file) for file in files])
    print(f"{len(files)} networks, {len(test.references)} test pairs")
    for looks, name in enumerate(("one way up", "both ways up")):
        for place, sure in enumerate(SURE):
            dice, f1 = each[:, looks, place].mean(axis=0)
            print(f"{name}, sure {sure:.2f}: lesion Dice {dice:.3f}, lesion F1 {f1:.3f}")


if __name__ == "__main__":
    main()
