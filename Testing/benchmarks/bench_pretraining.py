"""What costs no annotation: pretraining, painted and exchanged examples, the mean teacher, with and without.

On the demo's cohort (made if it is missing). Its changes are synthetic too, if drawn by other code and with
other figures, so pretraining is flattered here; `--project DIR` measures in another project whose pairs have
references. `--labels 6 12 24`, `--seeds K`, `--steps N` and `--pretraining N` say how much, `--arms A B`
which trainings; `--only painting` shows how well painted changes imitate prepared ones, `--only rehearsal`
what they do where labels have none.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import SimpleITK as sitk

from longitudinal_al.experiments.demonstration import demonstrate
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import HeldOut, TestPairs
from longitudinal_al.experiments.simulation import reference_masks
from longitudinal_al.imaging.difference import difference
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.lessons import learn_labels
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.pretraining import pretrained, start_of
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.painted_changes import paint
from longitudinal_al.pairs.painted_difference import DIFFERENCE, difference_gain, ordinary_tissue
from longitudinal_al.pairs.painted_lesions import Painting, draw_lesion
from longitudinal_al.pairs.painted_slice_pairs import DOUBTFUL, PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.project.store import Project

DEMO = Path(__file__).resolve().parents[2] / "demo"
CONSISTENCY = 10.0
PRETRAINED = "the product's"
LITTLE = 60
"""In pixels."""
APART = 3
"""Slices between the middles of two painted lesions."""
Labels = dict[int, np.ndarray]


def arms(steps: int, pretraining: int) -> dict[str, TrainingSettings]:
    """Return the trainings that are compared."""
    own = TrainingSettings(steps=steps, pretraining=pretraining)
    as_they_are = replace(own.augmentation, exchanged=0.0)
    return {
        PRETRAINED: own,
        "pretrained for a third": replace(own, pretraining=pretraining // 3),
        "not pretrained": replace(own, pretraining=0),
        "times not exchanged": replace(own, augmentation=as_they_are),
        "only mirrored": replace(own, augmentation=replace(own.augmentation, turned=False)),
        "neither": replace(own, pretraining=0, augmentation=as_they_are),
        "with a mean teacher": replace(own, consistency=CONSISTENCY),
    }


def chosen_rows(pool: Pool, labels: int, seed: int) -> list[int]:
    """Return so many slice pairs: half with the largest differences, one a pair first, half at random."""
    generator = np.random.default_rng(seed)
    scores = np.array([entry.difference_score for entry in pool.entries])
    best: dict[str, int] = {}
    for row in np.argsort(-scores, kind="stable"):
        best.setdefault(pool.entries[row].pair, int(row))
    first = list(best.values())[: labels // 2]
    rest = [row for row in range(len(pool)) if row not in first]
    return first + [int(row) for row in generator.choice(rest, labels - len(first), replace=False)]


def comparison(
    pool: Pool, test: TestPairs, budgets: Sequence[int], seeds: int, how: dict[str, TrainingSettings]
) -> Iterator[str]:
    """Train each arm on the same labels, and say what the test patients' measures are."""
    masks = reference_masks(pool)
    yield f"best threshold on the difference: lesion Dice {best_threshold_dice(test)['dice']:.3f}"
    with tempfile.TemporaryDirectory() as folder:
        kept, begun = Path(folder), perf_counter()
        networks = [pretrained(kept, pool, next(iter(how.values())), seed=seed) for seed in range(seeds)]
        seconds = (perf_counter() - begun) / seeds
        told = line([test.measure(Committee.of([one])) for one in networks])
        yield f"pretrained, no label: {told}; {seconds:.0f} s a seed"
        for labels in budgets:
            for name, settings in how.items():
                begun = perf_counter()
                networks = [learn(kept, pool, masks, labels, settings, seed) for seed in range(seeds)]
                seconds = (perf_counter() - begun) / seeds
                told = line([test.measure(Committee.of([one])) for one in networks])
                yield f"{labels:4d} labels, {name:19s} {told}; {seconds:.0f} s a training"


def rehearsal(pool: Pool, test: TestPairs, labels: int, seeds: int) -> Iterator[str]:
    """Train on labels that show hardly any change, with and without painted ones in their place."""
    masks = reference_masks(pool)
    settings = TrainingSettings()
    rows = hardly_changed(pool, masks, labels)
    for enough in (0, settings.rehearsal):
        found = []
        for seed in range(seeds):
            labelled = LabelledSlicePairs(pool, {row: masks[row] for row in rows})
            network = learn_labels(labelled, replace(settings, rehearsal=enough), seed=seed)
            found.append(test.measure(Committee.of([network])))
        pieces = LabelledSlicePairs(pool, {row: masks[row] for row in rows}).pieces
        told = f"{len(rows)} labels, {pieces} pieces of change, painted below {enough} pieces"
        yield f"{told}: {line(found)}"


def hardly_changed(pool: Pool, masks: Labels, labels: int) -> list[int]:
    """Return slice pairs that differ most in their pairs: a quarter with a little change, the others none."""
    scores = [entry.difference_score for entry in pool.entries]
    first: dict[str, int] = {}
    for row in np.argsort(-np.array(scores), kind="stable"):
        first.setdefault(pool.entries[row].pair, int(row))
    sizes = {row: int(np.count_nonzero(masks[row])) for row in first.values()}
    little = [row for row, size in sizes.items() if 0 < size < LITTLE][: labels // 4]
    return little + [row for row, size in sizes.items() if size == 0][: labels - len(little)]


def learn(
    kept: Path, pool: Pool, masks: Labels, labels: int, settings: TrainingSettings, seed: int
) -> ChangeNetwork:
    """Train on so many labels, from the pretrained network where the settings say so."""
    given = {row: masks[row] for row in chosen_rows(pool, labels, seed)}
    start = start_of(kept, pool, settings, seed=seed)
    return train(LabelledSlicePairs(pool, given), settings, seed=seed, start=start)


def line(found: Sequence[HeldOut]) -> str:
    """Return means over seeds, with each seed's Dice."""
    dice, f1 = [one.dice or 0.0 for one in found], [one.lesion_f1 or 0.0 for one in found]
    each = ", ".join(f"{value:.3f}" for value in dice)
    return f"lesion Dice {np.mean(dice):.3f} ({each}), F1 {np.mean(f1):.3f}"


def painting(pool: Pool) -> Iterator[str]:
    """Compare the difference of painted slices with that of painted scans that are prepared anew."""
    ours, exact = [], []
    for prepared in list(pool.pairs.values())[:3]:
        for guess, truth in painted_answers(prepared, np.random.default_rng(0)):
            ours.append(guess)
            exact.append(truth)
    ratio = np.percentile(np.array(exact) / np.array(ours), [25, 50, 75])
    correlation = np.corrcoef(ours, exact)[0, 1]
    yield f"the difference at {len(ours)} painted changes: correlation with the exact one {correlation:.2f}"
    yield f"  exact / painted: {ratio[0]:.2f}, {ratio[1]:.2f}, {ratio[2]:.2f} (quartiles)"
    examples, generator = PaintedSlicePairs(pool), np.random.default_rng(0)
    for _ in range(10):
        examples.draw(32, 48, 0.5, generator)
    begun = perf_counter()
    for _ in range(20):
        examples.draw(32, 48, 0.5, generator)
    yield f"drawing 32 painted patches: {50 * (perf_counter() - begun):.0f} ms"


def painted_answers(prepared: PreparedPair, generator: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Paint lesions into a pair's volumes, and yield the median difference in each: painted, and exact."""
    names = ("baseline", "followup", "difference", "foreground")
    images = {name: sitk.ReadImage(str(prepared.folder / f"{name}.nii.gz")) for name in names}
    axis = prepared.record.slice_axis
    scans = [np.moveaxis(sitk.GetArrayFromImage(images[name]), axis, 0) for name in names[:3]]
    stack = np.stack(scans, axis=1).astype(np.float32)
    painted, places = stack.copy(), []
    spacing = tuple(prepared.record.spacing_mm)
    for middle in prepared.record.slices[4:-4:APART]:
        quiet = ordinary_tissue(stack[middle]) & (np.abs(stack[middle, DIFFERENCE]) < DOUBTFUL)
        spots = np.argwhere(quiet)
        if len(spots) < 1000:
            continue
        near = slice(middle - 1, middle + 2)
        centre, gain = spots[generator.integers(len(spots))], difference_gain(stack[middle], spacing[1:])
        painted[near], changed = paint(
            painted[near], draw_lesion(Painting(), generator), centre, spacing, gain
        )
        places.append((middle, changed[1] & (stack[middle, DIFFERENCE] != 0)))
    anew = (image_like(images["baseline"], np.moveaxis(painted[:, time], 0, axis)) for time in (0, 1))
    found = difference(*anew, images["foreground"], slice_axis=axis)
    exact = np.moveaxis(sitk.GetArrayFromImage(found), axis, 0)
    for middle, changed in places:
        if np.count_nonzero(changed) >= 4:
            yield (
                float(np.median(painted[middle, DIFFERENCE][changed])),
                float(np.median(exact[middle][changed])),
            )


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, default=DEMO / "project")
    parser.add_argument("--labels", type=int, nargs="*", default=[6, 24])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=TrainingSettings().steps)
    parser.add_argument("--pretraining", type=int, default=TrainingSettings().pretraining)
    parser.add_argument("--arms", nargs="*", help="of the comparison; by default all")
    parser.add_argument("--only", choices=["painting", "comparison", "rehearsal"])
    chosen = parser.parse_args()
    if chosen.project == DEMO / "project" and not (DEMO / "report" / "results.json").is_file():
        demonstrate(DEMO)
    with Project.open(chosen.project) as project:
        pool, test = Pool.open(project), TestPairs(project)
    if chosen.only in (None, "painting"):
        for each in painting(pool):
            print(each, flush=True)
    if chosen.only in (None, "rehearsal"):
        for each in rehearsal(pool, test, 8, chosen.seeds):
            print(each, flush=True)
    if chosen.only in (None, "comparison"):
        how = arms(chosen.steps, chosen.pretraining)
        how = {name: how[name] for name in chosen.arms or how}
        for each in comparison(pool, test, chosen.labels, chosen.seeds, how):
            print(each, flush=True)


if __name__ == "__main__":
    main()
