"""Simulated annotation on the small cohort: the contract of its results, and going on after a stop."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from longitudinal_al.acquisition.selectors import clasp_pe
from longitudinal_al.acquisition.selectors.power import power_order
from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, strategy
from longitudinal_al.errors import InvalidInput, NotReady, UnknownName
from longitudinal_al.experiments import simulation
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.comparison import simulate
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.simulation import Simulation, SimulationSettings
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.committee import TOGETHER
from longitudinal_al.network.contrast import ContrastSettings
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

QUICK = TrainingSettings(
    steps=3, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)


def settings(budget: float = 0.2, batch: int = 5) -> SimulationSettings:
    return SimulationSettings(budget, batch, training=QUICK)


def run(project, out, names=("random", "entropy"), seeds=1, how=None):
    how = how or settings()
    return simulate(project, names, how.budget, how.batch, seeds, out, settings=how)


def test_results_hold_what_the_contract_names(small_project, tmp_path):
    results = run(small_project, tmp_path / "out", seeds=2)
    assert results["pool_slice_pairs"] == small_project.status()["pool_slice_pairs"]
    assert {"dice", "lesion_f1"} <= set(results["full"])
    keys = (
        "strategy seed round labelled fraction dice lesion_f1 train_seconds score_seconds seconds time_model"
    )
    for entry in results["results"]:
        assert set(keys.split()) <= set(entry)
        assert entry["fraction"] == entry["labelled"] / results["pool_slice_pairs"]
    budget = round(0.2 * results["pool_slice_pairs"])
    for name in ("random", "entropy"):
        for seed in (0, 1):
            rounds = [e for e in results["results"] if (e["strategy"], e["seed"]) == (name, seed)]
            assert [e["round"] for e in rounds] == list(range(1, len(rounds) + 1))
            assert rounds[0]["labelled"] == 5
            assert rounds[-1]["labelled"] == budget
            seconds = [e["seconds"] for e in rounds]
            assert seconds[0] >= 5 * 8  # a look at each, at least
            assert seconds == sorted(set(seconds))
            asked = [(a["pair"], a["slice"]) for e in rounds for a in e["asked"]]
            assert len(set(asked)) == budget
    assert (tmp_path / "out" / "report.html").is_file()
    assert (tmp_path / "out" / "results.json").is_file()


def test_seeds_differ_and_repeat(small_project, tmp_path):
    first = run(small_project, tmp_path / "a", ["random"], seeds=2)["results"]
    again = run(small_project, tmp_path / "b", ["random"], seeds=2)["results"]
    assert [e["asked"] for e in first] == [e["asked"] for e in again]
    assert [e["dice"] for e in first] == [e["dice"] for e in again]
    assert first[0]["asked"] != next(e for e in first if e["seed"] == 1)["asked"]


def test_an_interrupted_experiment_goes_on_and_ends_the_same(small_project, tmp_path):
    whole = run(small_project, tmp_path / "whole")
    calls = []

    def stop_in_the_third_round(phase: str, share: float) -> None:
        calls.append(phase)
        if "entropy" in phase and "round 2" in phase:
            raise KeyboardInterrupt

    how = settings()
    with pytest.raises(KeyboardInterrupt):
        simulate(
            small_project,
            ["random", "entropy"],
            how.budget,
            how.batch,
            1,
            tmp_path / "cut",
            settings=how,
            progress=stop_in_the_third_round,
        )
    kept = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "cut" / "rounds").glob("*.json")}
    assert "entropy-seed0-round01.json" in kept
    resumed = run(small_project, tmp_path / "cut")
    for name, written in kept.items():
        assert (tmp_path / "cut" / "rounds" / name).stat().st_mtime_ns == written
    assert [e["asked"] for e in resumed["results"]] == [e["asked"] for e in whole["results"]]
    assert [e["dice"] for e in resumed["results"]] == [e["dice"] for e in whole["results"]]


def test_the_share_that_is_done_follows_the_updates(small_project, tmp_path):
    how = replace(settings(), training=replace(QUICK, pretraining=9, varied=False))
    told: list[tuple[str, float]] = []
    simulate(
        small_project,
        ["random"],
        how.budget,
        how.batch,
        2,
        tmp_path,
        settings=how,
        progress=lambda phase, share: told.append((phase, share)),
    )
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    rounds = len(how.totals(len(Pool.open(small_project))))
    full, run_ = 9 + TOGETHER * QUICK.steps, rounds * QUICK.steps
    ends = [max(share for phase, share in told if phase == f"full labelling, seed {seed}") for seed in (0, 1)]
    assert ends == pytest.approx([full / 2 / (full + run_), full / (full + run_)])


@pytest.mark.parametrize("pretraining", [0, 3])
def test_time_goes_on_while_a_network_is_trained(small_project, tmp_path, pretraining):
    how = replace(settings(), training=replace(QUICK, pretraining=pretraining))
    simulation = Simulation(small_project, how, tmp_path / "out")
    told = []
    simulation.full_labelling(0, lambda phase, share: told.append(share))
    assert told == sorted(told)
    assert len(told) >= 3 + pretraining
    assert told[-1] == 1.0
    told.clear()
    rounds = simulation.run(Arm.plain("random"), 0, lambda phase, share: told.append(share))
    assert told == sorted(told)
    assert len(told) >= 3 * len(rounds)
    assert told[-1] == 1.0


def test_a_run_can_be_ended_between_two_rounds_alone(small_project, tmp_path):
    simulation = Simulation(small_project, settings(), tmp_path / "out")
    begun = []

    def end_before_the_third() -> None:
        begun.append(len(list((tmp_path / "out" / "rounds").glob("*.json"))))
        if len(begun) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        simulation.run(Arm.plain("random"), 0, between=end_before_the_third)
    assert begun == [0, 1, 2]


def test_another_experiment_in_the_same_folder_is_refused(small_project, tmp_path):
    run(small_project, tmp_path / "out", ["random"])
    with pytest.raises(InvalidInput, match="holds another experiment"):
        run(small_project, tmp_path / "out", ["random"], how=settings(batch=4))


@pytest.mark.parametrize(("budget", "batch", "seeds"), [(0, 5, 1), (1.5, 5, 1), (0.1, 0, 1), (0.1, 5, 0)])
def test_senseless_numbers_are_refused(small_project, tmp_path, budget, batch, seeds):
    with pytest.raises(InvalidInput):
        simulate(small_project, ["random"], budget, batch, seeds, tmp_path / "out")


def test_an_unknown_strategy_is_refused_before_anything_runs(small_project, tmp_path):
    with pytest.raises(UnknownName):
        run(small_project, tmp_path / "out", ["random", "magic"])
    assert not (tmp_path / "out" / "rounds").exists()


@pytest.mark.parametrize("start", ["recipe", "difference"])
def test_an_arm_can_begin_as_another_one_does(small_project, tmp_path, start):
    simulation = Simulation(small_project, settings(), tmp_path / "out")
    first = [
        simulation.run(arm, 0, lambda phase, share: None)[0]["asked"]
        for arm in (Arm("entropy", "entropy", cold_start=start), Arm.plain("recipe"))
    ]
    assert first[0] == first[1]


def test_a_schedule_begins_with_the_first_round_that_has_a_network(small_project, tmp_path, monkeypatch):
    betas = []

    def noting(values, beta, generator):
        betas.append(beta)
        return power_order(values, beta, generator)

    monkeypatch.setattr(clasp_pe, "power_order", noting)
    how = SimulationSettings(0.3, 1, cold_start="random", training=QUICK, fractions=(0.05, 0.1, 0.2, 0.3))
    Simulation(small_project, how, tmp_path / "out").run(Arm.plain("clasp_pe"), 0)
    assert betas == pytest.approx([1.0, 1.0, 10.0, 10.0, 100.0, 100.0])  # two strata a round


def test_without_test_pairs_it_says_what_to_do(small_cohort, small_project, tmp_path):
    pool_only = [pair for pair in read_pairs_table(small_cohort.table) if pair.split.value == "pool"][:1]
    with Project.create(tmp_path / "p") as project:
        project.add_pairs(pool_only)
        prepared = small_project.folder / "pairs"
        (tmp_path / "p" / "pairs").mkdir(exist_ok=True)
        for name in ("p0", "network-pixel.json"):
            (prepared / name).rename(tmp_path / "p" / "pairs" / name)
        pair = small_project.pair("p0")
        project.set_prepared("p0", pair.verdict, "", {}, pair.slice_pairs)
        with pytest.raises(NotReady, match="set aside for testing"):
            run(project, tmp_path / "out")


def test_a_threshold_on_the_difference_finds_the_obvious_change(prepared_once):
    with Project.open(prepared_once) as project:
        found = best_threshold_dice(TestPairs(project))
    assert found["dice"] > 0.5
    assert 1 < found["threshold"] < 200


def test_pretraining_is_done_once_for_a_seed_and_changes_what_is_learned(small_project, tmp_path):
    how = SimulationSettings(0.2, 8, training=replace(QUICK, pretraining=3))
    told = run(small_project, tmp_path / "with", ["random"], how=how)
    plain = run(small_project, tmp_path / "without", ["random"], how=settings(batch=8))
    assert len(list((tmp_path / "with" / "networks").glob("pretrained-*"))) == 1
    assert [e["asked"] for e in told["results"]] == [e["asked"] for e in plain["results"]]
    with_it, without = (
        {file.read_bytes() for file in (tmp_path / name / "networks").glob("[!p]*.safetensors")}
        for name in ("with", "without")
    )
    assert with_it
    assert with_it.isdisjoint(without)


def test_the_arguments_count_more_than_the_settings(small_project, tmp_path):
    found = simulate(small_project, ["random"], 0.1, 4, 1, tmp_path, settings=settings(budget=0.5, batch=9))
    assert found["results"][0]["labelled"] == 4
    assert found["results"][-1]["labelled"] == round(0.1 * found["pool_slice_pairs"])


class OnlyLabelled(Mapping):
    """Masks that may be looked at where they are labelled, and nowhere else."""

    def __init__(self, masks, labelled):
        self._masks, self._labelled = masks, set(labelled)

    def __getitem__(self, row):
        assert row in self._labelled, f"the reference of {row}, which nobody has labelled, was looked at"
        return self._masks[row]

    def __iter__(self):
        return iter(self._masks)

    def __len__(self):
        return len(self._masks)


@pytest.mark.usefixtures("short_contrast")
def test_no_strategy_but_the_yardsticks_sees_what_is_not_labelled(small_project, tmp_path):
    """In a simulation all masks lie in memory, unlike in a project."""
    one = Simulation(small_project, settings(), tmp_path)
    labelled = list(range(0, len(one.pool), 9))
    able = replace(QUICK, predicts_loss=True)
    networks = one.learned.networks(labelled, 0, able, 2)
    one.masks = OnlyLabelled(one.masks, labelled)
    for name in (*STRATEGIES, "attention_misalignment:variant=fitted", "typiclust:features=contrast"):
        if Needs.LABELS not in strategy(name).needs:
            asked = one._ask(Arm.plain(name), networks, labelled, seed=0, number=2, batch=2)
            assert not set(asked) & set(labelled)
    for name in ("foreground_random", "attention_misalignment:variant=oracle"):
        with pytest.raises(AssertionError, match="nobody has labelled"):
            one._ask(Arm.plain(name), networks, labelled, seed=0, number=2, batch=2)


def test_each_seed_compares_the_two_times_anew(small_project, tmp_path, monkeypatch):
    seeds = []
    real = simulation.contrast_of_pool

    def watched(*given, seed):
        seeds.append(seed)
        return real(*given, seed=seed, settings=ContrastSettings(steps=2, batch=4, widths=(8,), size=4))

    monkeypatch.setattr(simulation, "contrast_of_pool", watched)
    simulate(small_project, ["mdal_max"], 0.1, 20, 2, tmp_path, settings=settings())
    assert set(seeds) == {0, 1}
