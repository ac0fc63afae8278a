"""Networks measured together on the test pairs of the small cohort."""

from __future__ import annotations

import pytest

from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.simulation import Simulation, SimulationSettings
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.training import TrainingSettings

SMALL = Architecture(widths=(8, 8, 16, 16))


@pytest.mark.parametrize(("labels", "finds"), [((99, 1), True), ((3, 1), False)])
def test_networks_seen_one_by_one_are_measured_as_the_committee(small_project, labels, finds, saying) -> None:
    test = TestPairs(small_project)
    networks = [saying(20.0), saying(-20.0)]
    together = test.measure_together([test.look(network) for network in networks], labels)
    assert together == test.measure(Committee.of(networks, labels))
    assert together.dice is not None
    assert (together.dice > 0) is finds  # three quarters are not sure enough for a piece of change


def test_a_round_is_measured_with_the_rounds_before(small_project, tmp_path) -> None:
    training = TrainingSettings(steps=60, pretraining=0, batch=8, patch=32, architecture=SMALL)
    simulation = Simulation(
        small_project, SimulationSettings(1.0, 1, fractions=(0.3, 0.6), training=training), tmp_path
    )
    first, second = simulation.run(Arm.plain("random"), 0)
    pool, learned = simulation.pool, simulation.learned
    rows = [pool.find(one["pair"], one["slice"]) for one in first["asked"]]
    both = rows + [pool.find(one["pair"], one["slice"]) for one in second["asked"]]
    (before,) = learned.networks(rows, 0, training)
    (newest,) = learned.networks(both, 0, training)
    expected = simulation.test.measure(Committee.of([newest, before], [len(both), len(rows)]))
    assert second["dice"] == pytest.approx(expected.dice, abs=0.01)
    assert second["dice"] != simulation.test.measure(Committee.of([newest])).dice
    assert first["dice"] == pytest.approx(simulation.test.measure(Committee.of([before])).dice, abs=0.01)


def test_full_labelling_is_as_many_networks_of_one_start(small_project, tmp_path) -> None:
    training = TrainingSettings(steps=3, pretraining=2, batch=4, patch=32, architecture=SMALL)
    simulation = Simulation(small_project, SimulationSettings(0.2, 5, training=training), tmp_path)
    found = simulation.full_labelling(0)
    assert len(list((tmp_path / "networks").glob("pretrained-*"))) == 1
    assert len(list((tmp_path / "networks").glob("*.safetensors"))) == 1 + 3
    assert simulation.full_labelling(0) == found
    assert simulation.full_labelling(1)["dice"] is not None
    assert len(list((tmp_path / "networks").glob("pretrained-*"))) == 2
