"""Time and memory of choosing 50 of 5,520 slice pairs, and of scoring them: the size of MSSEG-2.

Every strategy of the dict chooses from the same pool, with features of 1,024 numbers, with nothing labelled
and with 8 % labelled; its memory is taken at N and at 4 N. The peers of k-center and hybrid are the plain way
that the published code goes: all distances or redundancies of the pool in one N x N matrix. The peer of the
entropy is ``torch.xlogy`` on the same batches. Seconds are of processor, on one thread, so that busy cores do
not count; on idle ones they are the clock's.

With ``--write``, the seconds per 1,000 slice pairs (the score of 256 x 256 pixels, and the choice of 50) are
kept for ``longitudinal-al strategies`` and `docs/strategies.md`; then run `strategies_page.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.measured import MEASURED, measured
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import aggregate
from longitudinal_al.acquisition.selectors.canonical import Selector
from longitudinal_al.acquisition.selectors.hybrid import redundancy
from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, Strategy
from longitudinal_al.project.files import write_json

POOL, BATCH, FEATURES, SLICES, KINDS = 5520, 50, 1024, 138, 40
STREAM, SIDE, RUNS, MEMBERS, VARIANTS = 32, 256, 2, 3, 4
SELECTION_SECONDS, SCORE_SECONDS = 3.0, 10.0


def pool_of(count: int, labelled: int = 0, width: int = FEATURES) -> Candidates:
    """Return a pool of pairs with 138 slices each, 1 mm apart, of 40 kinds, with every column."""
    generator = np.random.default_rng(7)
    number = np.arange(count)
    kinds = generator.normal(size=(KINDS, width)).astype(np.float32)
    features = kinds[generator.integers(KINDS, size=count)]
    features += generator.normal(size=(count, width)).astype(np.float32)
    np.abs(features, out=features)
    pair = np.char.add("pair", (number // SLICES).astype(np.str_))
    columns = {"pair": pair, "patient": pair, "slice": number % SLICES, "position_mm": number % SLICES}
    known = generator.permutation(count) < labelled
    done = LabelledSlices(**{name: one[known] for name, one in columns.items()}, features=features[known])
    rest = {name: column[~known] for name, column in columns.items()}
    by_chance = ("score", "difference", "change_score", "sure_change")
    chance = {name: generator.random(count - labelled) for name in by_chance}
    return Candidates(
        **rest,
        **chance,
        features=features[~known],
        labelled=done,
        seconds=5 + 60 * generator.random(count - labelled),
        held_back=generator.random(count - labelled) < 0.05,
        round=2,
        rounds=4,
    )


def select(selector: Selector, candidates: Candidates) -> list[int]:
    """Return a batch at least 5 mm apart."""
    return selector(candidates, BATCH, Neighbours(5.0), np.random.default_rng(0))


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds of processor of the shorter of two runs."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
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


def predictions_for(strategy: Strategy) -> Predictions:
    """Return 32 slice pairs of 256 x 256 with what a strategy needs."""
    generator = torch.Generator().manual_seed(0)

    def chance(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator)

    several = Needs.ENSEMBLE in strategy.needs or Needs.DROPOUT in strategy.needs
    pictures = (STREAM, SIDE, SIDE)
    return Predictions(
        chance(MEMBERS if several else 1, *pictures) ** 8,
        torch.randn(pictures, generator=generator),
        chance(*pictures) < 0.5,
        variants=chance(VARIANTS, *pictures) ** 8 if Needs.VARIANTS in strategy.needs else None,
        attention=chance(*pictures) if Needs.ATTENTION in strategy.needs else None,
        predicted_loss=chance(STREAM),
        expected_misalignment=chance(STREAM),
    )


def xlogy_entropy(predictions: Predictions) -> torch.Tensor:
    """Return the entropy the straightforward way."""
    change = predictions.members.mean(dim=0)
    pixels = -torch.xlogy(change, change) - torch.xlogy(1 - change, 1 - change)
    return aggregate(pixels, predictions.foreground)


def report(what: str, figure: str, is_reached: bool) -> bool:
    """Print one line of the table."""
    print(f"{what:<58} {figure:<48} {'ok' if is_reached else 'MISSED'}", flush=True)
    return is_reached


def selection_lines(names: list[str]) -> Iterator[bool]:
    """Measure every selector: time with nothing and with 8 % labelled, memory at N and 4 N."""
    pool, late, large = pool_of(POOL), pool_of(POOL, labelled=POOL * 8 // 100), pool_of(4 * POOL)
    peers = {"kcenter": kcenter_by_matrix, "hybrid": hybrid_by_matrix}
    for name in names:
        selector = STRATEGIES[name].selector
        took, took_late = (seconds_of(lambda of=of, run=selector: select(run, of)) for of in (pool, late))
        figure = f"{took:.2f} s; {took_late:.2f} s with 8 % labelled"
        if name in peers:
            figure += f"; matrix {seconds_of(lambda run=peers[name]: run(pool)) / took:.1f} x"
        yield report(f"{name}: 50 of 5,520, <= 3 s", figure, max(took, took_late) <= SELECTION_SECONDS)
        small, big = (peak_mib(lambda run=selector, of=of: select(run, of)) for of in (pool, large))
        figure = f"{small:.1f} -> {big:.1f} MiB ({big / max(small, 0.1):.1f} x)"
        if name in peers:
            figure += f"; matrix {peak_mib(lambda run=peers[name]: run(pool)):.0f} MiB"
        yield report(f"{name}: memory from N to 4 N, <= 5 x", figure, big <= 5 * small + 1)


def score_lines(names: list[str]) -> Iterator[bool]:
    """Measure every score over the pool."""
    plain = seconds_of(lambda: xlogy_entropy(predictions_for(STRATEGIES["entropy"])))
    for name in names:
        strategy = STRATEGIES[name]
        if not callable(strategy.score):
            continue
        given = predictions_for(strategy)
        took = seconds_of(lambda one=strategy, on=given: one.score(on))
        figure = f"{took * POOL / STREAM:.2f} s"
        if name == "entropy":
            figure += f"; xlogy {plain / took:.1f} x"
        what = f"{name}: score 5,520 x 256 x 256, <= 10 s"
        yield report(what, figure, took * POOL / STREAM <= SCORE_SECONDS)


def per_1000(name: str, pool: Candidates) -> float:
    """Return the seconds of one strategy per 1,000 slice pairs: its scores, and the choice of 50."""
    strategy = STRATEGIES[name]
    took = seconds_of(lambda: select(strategy.selector, pool))
    given = predictions_for(strategy) if callable(strategy.score) else None
    for score in [strategy.score, *strategy.also.values()]:
        if given is not None:
            took += seconds_of(lambda run=score: run(given)) * 1000 / STREAM
    return took


def write(names: list[str]) -> None:
    """Keep what each strategy costs per 1,000 slice pairs."""
    pool = pool_of(1000)
    seconds = {name: float(f"{per_1000(name, pool):.2g}") for name in names}
    write_json(MEASURED, {**measured(), "seconds": {**measured().get("seconds", {}), **seconds}})
    print(json.dumps(seconds, indent=1))


def main() -> None:
    """Print the table; a figure that is not reached ends the program with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="strategies; without any, all")
    parser.add_argument("--write", action="store_true", help="keep the cost per 1,000 slice pairs")
    arguments = parser.parse_args()
    names = arguments.names or list(STRATEGIES)
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        if arguments.write:
            write(names)
            return
        reached = [*selection_lines(names), *score_lines(names)]
    sys.exit(0 if all(reached) else 1)


if __name__ == "__main__":
    main()
