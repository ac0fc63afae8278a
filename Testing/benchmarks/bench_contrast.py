"""MDAL's contrastive training on a pool of MSSEG-2's size, on whatever device there is, and what it holds.

The slices are noise: what is measured is time and memory, not what is learned.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch
from bench_network import POOL, SLICES, open_pool, write_pool

from longitudinal_al.network.contrast import ContrastSettings, modality_difference, train_contrast
from longitudinal_al.network.device import pick_device
from longitudinal_al.pairs.pool import Pool

CORES = 2
LONGEST = {"cpu": 600.0, "cuda": 60.0}
"""Seconds."""


def figures(pool: Pool) -> Iterator[str]:
    """Train and compare the whole pool."""
    device = pick_device()
    settings = ContrastSettings()
    started = time.perf_counter()
    encoders = train_contrast(pool, settings, seed=0)
    training = time.perf_counter() - started
    found = modality_difference(encoders, pool)
    whole = time.perf_counter() - started
    memory = psutil.Process(os.getpid()).memory_info().rss / 2**20
    assert len(found.difference) == len(pool)
    longest = LONGEST.get(device.type, LONGEST["cpu"])
    verdict = "ok" if whole <= longest else "MISSED"
    where = f"{torch.get_num_threads()} cores" if device.type == "cpu" else device.type
    yield f"contrastive training on a pool of {len(pool):,}, {where}: {training:.0f} s"
    yield f"  with the comparison of the whole pool {whole:.0f} s (at most {longest:.0f})  {verdict}"
    yield f"  memory of the process afterwards: {memory:.0f} MiB"


def main() -> None:
    """Print one line a figure."""
    torch.set_num_threads(min(CORES, os.cpu_count() or 1))
    with tempfile.TemporaryDirectory() as temporary:
        write_pool(Path(temporary), -(-POOL // SLICES))
        for line in figures(open_pool(Path(temporary), POOL)):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
