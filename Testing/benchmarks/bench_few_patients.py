"""Examples that are varied more where few patients are known, with and without (`pairs.variety`).

`bench_few_patients.py PROJECT --patients 1 2 4 --seeds 3`: the first so many patients of the project's pool
are pretrained on and, all their slice pairs labelled, learned from; the test pairs are measured. A project of
`longitudinal-al experiment` will do, such as `experiment/real-patient03/project`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from bench_pretraining import line

from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import HeldOut, TestPairs
from longitudinal_al.experiments.simulation import reference_masks
from longitudinal_al.lessons import learn_labels
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.pretraining import pretrain
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project


def of_patients(pool: Pool, count: int) -> Pool:
    """Return the pool of the first so many patients."""
    names = sorted({pair.pair.patient for pair in pool.pairs.values()})[:count]
    return Pool([pair for pair in pool.pairs.values() if pair.pair.patient in names], pool.size)


def comparison(pool: Pool, test: TestPairs, seeds: Sequence[int]) -> Iterator[str]:
    """Pretrain and learn with and without, and say what the test patients' measures are."""
    masks = reference_masks(pool)
    for varied in (False, True):
        how = replace(TrainingSettings(), varied=varied)
        begun = perf_counter()
        starts = [pretrain(pool, how, seed=seed) for seed in seeds]
        seconds = (perf_counter() - begun) / len(seeds)
        name = f"patients {pool.patients}, {'varied more' if varied else 'as of many patients'}"
        yield f"{name}, pretrained alone: {line([_look(test, one) for one in starts])}; {seconds:.0f} s"
        labelled = LabelledSlicePairs(pool, masks)
        chosen = zip(seeds, starts, strict=True)
        networks = [learn_labels(labelled, how, seed=seed, start=start) for seed, start in chosen]
        yield f"{name}, all {len(pool)} labelled: {line([_look(test, one) for one in networks])}"


def _look(test: TestPairs, network: ChangeNetwork) -> HeldOut:
    return test.measure(Committee.of([network]))


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--patients", type=int, nargs="+", default=[1])
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    with Project.open(chosen.project) as project:
        pool, test = Pool.open(project), TestPairs(project)
    print(f"best threshold on the difference: lesion Dice {best_threshold_dice(test)['dice']:.3f}")
    for count in chosen.patients:
        for each in comparison(of_patients(pool, count), test, range(chosen.seeds)):
            print(each, flush=True)


if __name__ == "__main__":
    main()
