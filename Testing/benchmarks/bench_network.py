"""Scoring a pool of MSSEG-2's size, its memory, and what a round of training costs.

The peer of scoring is MONAI's `BasicUNet` with default features in float32, on the same slices and cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import psutil
import torch
from monai.networks.nets import BasicUNet
from scipy.ndimage import gaussian_filter

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.pairs.stack import CHANNELS, write_stack
from longitudinal_al.project.records import Pair
from longitudinal_al.scoring import score_rows

SIDE, SLICES, POOL = 256, 138, 5520
PEER_SLICES, BATCH = 64, 32
TIMES_THE_PEER, MEMORY_GROWTH = 15.0, 0.10


def write_pool(folder: Path, pairs: int) -> None:
    """Write a pool of noisy slices, 138 a pair."""
    generator = np.random.default_rng(3)
    frame = Frame.around(np.ones((SIDE, SIDE), bool), (1.0, 1.0), 1.0)
    smooth = {name: gaussian_filter(generator.normal(0, 9, (SLICES, SIDE, SIDE)), 2) for name in CHANNELS}
    inside = np.ones((SLICES, SIDE, SIDE), bool)
    for number in range(pairs):
        own = folder / f"pair{number:03d}"
        write_stack(
            own, frame, {name: volume + number for name, volume in smooth.items()}, inside, range(SLICES)
        )
        every = list(range(SLICES))
        Prepared("", 0, 0, every, [0.0] * SLICES, [1.0, 1.0, 1.0], frame).write(own)


def open_pool(folder: Path, slice_pairs: int) -> Pool:
    """Open as many whole pairs as hold the wanted number of slice pairs."""
    prepared = []
    for own in sorted(folder.iterdir())[: -(-slice_pairs // SLICES)]:
        record = Prepared.read(own)
        assert record is not None
        prepared.append(PreparedPair(Pair(own.name, own.name, own, own), own, record))
    return Pool(prepared)


def score(pool: Pool, rows: Sequence[int]) -> float:
    """Score slice pairs by entropy and return slice pairs a second."""
    torch.manual_seed(0)
    network = ChangeNetwork(Architecture()).eval()
    score_rows(pool, STRATEGIES["entropy"], [network], rows[:BATCH])
    start = time.perf_counter()
    scored = score_rows(pool, STRATEGIES["entropy"], [network], rows)
    assert np.isfinite(scored.score).all()
    return len(rows) / (time.perf_counter() - start)


def score_with_peer(pool: Pool, rows: Sequence[int]) -> float:
    """Predict with BasicUNet in float32 and return slice pairs a second; its entropy is not even counted."""
    network = BasicUNet(spatial_dims=2, in_channels=3, out_channels=1).eval()
    with torch.inference_mode():
        network(torch.zeros(2, 3, SIDE, SIDE))
        start = time.perf_counter()
        for first in range(0, len(rows), BATCH):
            network(torch.from_numpy(pool.stacks(rows[first : first + BATCH])[:, 0]).float())
    return len(rows) / (time.perf_counter() - start)


def scoring(folder: Path) -> Iterator[str]:
    """Compare the speed of scoring with the peer's, in turns, on the same pool."""
    pool = open_pool(folder, POOL)
    peer = score_with_peer(pool, range(PEER_SLICES))
    own = score(pool, range(POOL))
    peer = max(peer, score_with_peer(pool, range(PEER_SLICES)))
    ratio = own / peer
    verdict = "ok" if ratio >= TIMES_THE_PEER else "MISSED"
    yield f"scoring {POOL:,} slice pairs of {SIDE}x{SIDE}: {own:.0f} a second; BasicUNet {peer:.1f}"
    yield f"  ratio {ratio:.1f} (at least {TIMES_THE_PEER:.0f})  {verdict}"


def peak_memory(folder: Path, slice_pairs: int) -> float:
    """Score in a process of its own and return its peak memory in MiB."""
    command = [sys.executable, __file__, "--score", str(folder), str(slice_pairs)]
    child = psutil.Popen(command)
    peak = 0
    while child.poll() is None:
        try:
            peak = max(peak, child.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    if child.wait() != 0:
        raise subprocess.CalledProcessError(child.returncode, command)
    return peak / 2**20


def memory(folder: Path) -> Iterator[str]:
    """Compare the peak memory of a small pool with that of the whole."""
    small, large = peak_memory(folder, 500), peak_memory(folder, POOL)
    growth = large / small - 1
    verdict = "ok" if abs(growth) <= MEMORY_GROWTH else "MISSED"
    yield f"peak memory of scoring: {small:.0f} MiB at 500 slice pairs, {large:.0f} MiB at {POOL:,}"
    yield f"  growth {growth:+.1%} (within {MEMORY_GROWTH:.0%})  {verdict}"


def main() -> None:
    """Print one line a figure."""
    if sys.argv[1:2] == ["--score"]:
        folder, count = Path(sys.argv[2]), int(sys.argv[3])
        score(open_pool(folder, count), range(count))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_pool(folder, -(-POOL // SLICES))
        for line in chain(scoring(folder), memory(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
