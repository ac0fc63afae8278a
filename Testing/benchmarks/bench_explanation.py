"""The explanation of one slice pair: suggestion, doubt and attention, on two cores.

The peer of the attention is MONAI's Grad-CAM on the same network and slice, which needs a backward pass.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from bench_network import SIDE, SLICES, open_pool, write_pool
from monai.visualize import GradCAM

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.committee import TOGETHER, Committee
from longitudinal_al.network.explanation import explain
from longitudinal_al.pairs.pool import Pool

TIMES, CORES, LONGEST_MS = 20, 2, 300.0


class SumOverChange(torch.nn.Module):
    """Gives what is explained as the single class that MONAI asks for."""

    def __init__(self, network: ChangeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the sum of the logits over predicted change, or over all."""
        logits = self.network(image)[0]
        predicted = logits >= 0
        chosen = predicted if predicted.any() else torch.ones_like(predicted)
        return (logits * chosen).sum((1, 2))[:, None]


def milliseconds(run: Callable[[int], object]) -> float:
    """Return the median of some runs, after two that do not count."""
    taken = []
    for number in range(TIMES + 2):
        started = time.perf_counter()
        run(number)
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken[2:])


def figures(pool: Pool) -> Iterator[str]:
    """Compare the product with the peer, on the same slices."""
    torch.manual_seed(0)
    network = ChangeNetwork(Architecture()).eval()
    own = milliseconds(lambda number: explain(Committee.of([network] * TOGETHER), pool, number))
    camera = GradCAM(SumOverChange(network).eval(), "network.merge.0")

    def with_monai(number: int) -> None:
        camera(network_input(torch.from_numpy(pool.stacks([number], 1)).float()), class_idx=0)

    peer = milliseconds(with_monai)
    verdict = "ok" if own <= LONGEST_MS else "MISSED"
    yield f"explaining a slice pair of {SIDE}x{SIDE}: {own:.0f} ms (at most {LONGEST_MS:.0f})  {verdict}"
    yield f"  MONAI's Grad-CAM of the same network and slice: {peer:.0f} ms for the attention alone"


def main() -> None:
    """Print one line a figure."""
    torch.set_num_threads(CORES)
    with tempfile.TemporaryDirectory() as temporary:
        write_pool(Path(temporary), 1)
        for line in figures(open_pool(Path(temporary), SLICES)):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
