"""Networks that decide together: who they are in a project, and how much each one's word counts."""

from __future__ import annotations

import pytest
import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_committee, newest_committee, save_networks
from longitudinal_al.network.committee import TOGETHER, Committee
from longitudinal_al.network.prediction import predicted_probabilities
from longitudinal_al.project.records import Round, utc_now


def add_round(project, labels: int, *networks: ChangeNetwork) -> Round:
    number = project.next_round_number()
    path = project.folder / "models" / f"round-{number:03d}.safetensors"
    save_networks(networks, path)
    project.add_round(Round(number, None, 0, labels, utc_now(), utc_now(), path))
    return project.rounds()[-1]


def words(committee: Committee) -> list[float]:
    return [round(network.head.bias[0].item(), 3) for network in committee.networks]


def test_each_counts_by_what_it_has_learned(unseen_pool, saying) -> None:
    committee = Committee.of([saying(20.0), saying(-20.0)], [30, 10])
    assert committee.weights == (0.75, 0.25)
    foreground = unseen_pool.to_grid(2, unseen_pool.foreground([2])[0].astype("float32")) > 0.99
    ((_, probability),) = predicted_probabilities(committee, unseen_pool, [2])
    assert foreground.any()
    assert probability[foreground] == pytest.approx(0.75, abs=0.01)


def test_without_numbers_all_count_the_same(saying) -> None:
    assert Committee.of([saying(0.0)] * 4).weights == (0.25,) * 4


@pytest.mark.parametrize("labels", [[1], [1, 0], [1, -2]])
def test_senseless_weights_are_refused(labels, saying) -> None:
    with pytest.raises(ValueError, match="2 networks cannot weigh"):
        Committee.of([saying(0.0), saying(1.0)], labels)
    with pytest.raises(ValueError, match="0 networks"):
        Committee.of([])


def test_the_newest_rounds_decide_and_weigh_their_labels(small_project, saying) -> None:
    for number, labels in enumerate((4, 10, 20, 30), start=1):
        add_round(small_project, labels, saying(number))
    committee = newest_committee(small_project)
    assert TOGETHER == 3
    assert words(committee) == [4, 3, 2]
    assert committee.weights == pytest.approx((0.5, 1 / 3, 1 / 6))


def test_one_round_decides_alone(small_project, saying) -> None:
    add_round(small_project, 4, saying(1.0))
    assert newest_committee(small_project).weights == (1.0,)


def test_earlier_rounds_that_cannot_be_read_or_differ_have_no_say(small_project, saying) -> None:
    for number in (1, 2):
        add_round(small_project, 10, saying(number))
    add_round(small_project, 15, saying(3, (8, 16, 16, 24)))
    damaged = add_round(small_project, 20, saying(4))
    damaged.model.write_bytes(b"nothing")
    gone = add_round(small_project, 20, saying(5))
    gone.model.unlink()
    add_round(small_project, 30, saying(6))
    assert words(newest_committee(small_project)) == [6, 2, 1]


def test_a_damaged_newest_round_is_said_and_not_passed_over(small_project, saying) -> None:
    add_round(small_project, 10, saying(1))
    add_round(small_project, 20, saying(2)).model.unlink()
    with pytest.raises(NotReady, match="train"):
        newest_committee(small_project)


def test_an_ensemble_has_one_round_s_weight_together(small_project, saying) -> None:
    add_round(small_project, 10, saying(1), saying(2))
    add_round(small_project, 30, saying(3), saying(4))
    committee = newest_committee(small_project)
    assert words(committee) == [3, 4, 1]
    assert committee.weights == pytest.approx((0.375, 0.375, 0.25))


def test_networks_newer_than_any_round_come_first(small_project, saying) -> None:
    for number in (1, 2, 3):
        add_round(small_project, 10, saying(number))
    assert words(newest_committee(small_project, [saying(9)])) == [9, 3, 2]


def test_a_committee_comes_back_from_its_file_with_its_weights(tmp_path, saying) -> None:
    committee = Committee.of([saying(1.0), saying(2.0)], [3, 1])
    save_networks(committee.networks, tmp_path / "kept.safetensors", weights=committee.weights)
    again = load_committee(tmp_path / "kept.safetensors")
    assert again.weights == committee.weights
    assert words(again) == [1.0, 2.0]
    assert torch.equal(again.mean(torch.tensor([1.0, 0.0])), torch.tensor(0.75))
