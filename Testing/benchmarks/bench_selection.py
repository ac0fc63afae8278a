"""Time and memory of choosing 50 of 5,520 slice pairs, and of scoring them: the size of MSSEG-2.

The peer for k-center and hybrid is the plain way that the published code goes: all distances or redundancies
of the pool in one N x N matrix. The peer for the entropy is ``torch.xlogy`` on the same batches.
Seconds are by the clock; on busy cores compare the seconds of processor (with OMP_WAIT_POLICY=PASSIVE, or
waiting counts as work).
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import torch

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import aggregate
from longitudinal_al.acquisition.selectors.canonical import Selector
from longitudinal_al.acquisition.selectors.hybrid import redundancy
from longitudinal_al.acquisition.strategies import STRATEGIES

POOL, BATCH, FEATURES, SLICES = 5520, 50, 512, 138
STREAM, SIDE, RUNS = 32, 256, 3
SELECTION_SECONDS, SCORE_SECONDS = 2.0, 10.0


def pool_of(count: int, labelled: int = 0) -> Candidates:
    """Return a pool of pairs with 138 slices each, 1 mm apart, whose features drift from slice to slice."""
    generator = np.random.default_rng(7)
    number = np.arange(count)
    drift = generator.normal(size=(count, FEATURES)).astype(np.float32)
    pair = np.char.add("pair", (number // SLICES).astype(np.str_))
    columns = {"pair": pair, "patient": pair, "slice": number % SLICES, "position_mm": number % SLICES}
    known = generator.permutation(count) < labelled
    done = LabelledSlices(**{name: column[known] for name, column in columns.items()}, features=drift[known])
    rest = {name: column[~known] for name, column in columns.items()}
    return Candidates(**rest, score=generator.random(count - labelled), features=drift[~known], labelled=done)


def select(selector: Selector, candidates: Candidates) -> list[int]:
    """Return a batch at least 5 mm apart."""
    return selector(candidates, BATCH, Neighbours(5.0), np.random.default_rng(0))


def seconds_of(work: Callable[[], object]) -> float:
    """Return the shortest of three runs."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mib(work: Callable[[], object]) -> float:
    """Return the peak of what Python and numpy allocate during the work, in MiB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def kcenter_by_matrix(candidates: Candidates) -> list[int]:
    """Return the greedy k-center from a full N x N matrix of distances."""
    features = candidates.features
    assert features is not None
    norms = np.einsum("ij,ij->i", features, features)
    matrix = norms[:, None] + norms[None] - 2.0 * (features @ features.T)
    chosen = [int(((features - features.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    while len(chosen) < BATCH:
        chosen.append(int(matrix[:, chosen].min(axis=1).argmax()))
    return chosen


def hybrid_by_matrix(candidates: Candidates) -> list[int]:
    """Return the least redundant from a full N x N matrix of redundancies."""
    features = candidates.features
    assert features is not None
    centred = features - features.mean(axis=0)
    matrix = redundancy(centred, centred)
    chosen = [int(candidates.score.argmax())]
    while len(chosen) < BATCH:
        chosen.append(int(matrix[:, chosen].max(axis=1).argmin()))
    return chosen


def batches() -> Iterator[Predictions]:
    """Yield a pool of 5,520 slice pairs of 256 x 256 in batches of 32 from the same memory."""
    generator = torch.Generator().manual_seed(0)
    members = torch.rand((3, STREAM, SIDE, SIDE), generator=generator) ** 8
    difference = torch.randn((STREAM, SIDE, SIDE), generator=generator)
    foreground = torch.rand((STREAM, SIDE, SIDE), generator=generator) < 0.5
    for start in range(0, POOL, STREAM):
        size = min(STREAM, POOL - start)
        yield Predictions(members[:, :size], difference[:size], foreground[:size])


def xlogy_entropy(predictions: Predictions) -> torch.Tensor:
    """Return the entropy the straightforward way."""
    change = predictions.members.mean(dim=0)
    pixels = -torch.xlogy(change, change) - torch.xlogy(1 - change, 1 - change)
    return aggregate(pixels, predictions.foreground)


def score_pool(score: Callable[[Predictions], torch.Tensor], members: int) -> torch.Tensor:
    """Return the scores of the whole pool, streamed."""
    parts = (Predictions(part.members[:members], part.difference, part.foreground) for part in batches())
    return torch.cat([score(part) for part in parts])


def report(what: str, figure: str, is_reached: bool) -> bool:
    """Print one line of the table."""
    print(f"{what:<58} {figure:<40} {'ok' if is_reached else 'MISSED'}")
    return is_reached


def selection_lines() -> list[bool]:
    """Measure the selectors that need features, and their memory at N and 4 N."""
    pool, late, large = pool_of(POOL), pool_of(POOL, labelled=POOL * 8 // 100), pool_of(4 * POOL)
    peers = {"kcenter": kcenter_by_matrix, "hybrid": hybrid_by_matrix}
    reached = []
    for name in ("kcenter", "hybrid", "cluster_margin"):
        selector = STRATEGIES[name].selector
        took = seconds_of(lambda run=selector: select(run, pool))
        took_late = seconds_of(lambda run=selector: select(run, late))
        figure = f"{took:.2f} s; {took_late:.2f} s with 8 % labelled"
        peer = peers.get(name)
        if peer:
            figure += f"; matrix {seconds_of(lambda run=peer: run(pool)) / took:.1f} x"
        reached.append(
            report(f"{name}: 50 of 5,520, <= 2 s", figure, max(took, took_late) <= SELECTION_SECONDS)
        )
        small, big = (peak_mib(lambda run=selector, of=of: select(run, of)) for of in (pool, large))
        figure = f"{small:.1f} -> {big:.1f} MiB ({big / small:.1f} x)"
        if peer:
            figure += f"; matrix {peak_mib(lambda run=peer: run(pool)):.0f} MiB"
        reached.append(report(f"{name}: memory from N to 4 N, <= 5 x", figure, big <= 5 * small + 1))
    return reached


def score_lines() -> list[bool]:
    """Measure every score over the pool."""
    reached = []
    plain = seconds_of(lambda: score_pool(xlogy_entropy, 1))
    for name, strategy in STRATEGIES.items():
        if callable(strategy.score) and name not in ("hybrid", "cluster_margin"):
            members = 3 if name in ("bald", "dropout_entropy") else 1
            busy = time.process_time()
            took = seconds_of(lambda score=strategy.score, many=members: score_pool(score, many))
            busy = (time.process_time() - busy) / RUNS
            figure = f"{took:.2f} s, {POOL / took:,.0f} slice pairs/s; {busy:.1f} s of processor"
            if name == "entropy":
                figure += f"; xlogy {plain / took:.1f} x"
            what = f"{name}: score 5,520 x 256 x 256 x {members}, <= 10 s"
            reached.append(report(what, figure, took <= SCORE_SECONDS))
    return reached


def main() -> None:
    """Print the table; a figure that is not reached ends the program with 1."""
    torch.set_num_threads(2)
    reached = [*selection_lines(), *score_lines()]
    sys.exit(0 if all(reached) else 1)


if __name__ == "__main__":
    main()
