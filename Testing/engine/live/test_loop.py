"""The live loop on a real project: real labels, trainings of a few steps, the real ranking file."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.strategies import STRATEGIES, Needs
from longitudinal_al.errors import Cancelled, Interrupted, InvalidInput, NotReady, UnknownName
from longitudinal_al.live.loop import LiveLoop
from longitudinal_al.live.models import current_committee, live_model_path
from longitudinal_al.live.schedule import Thought
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.contrast_file import contrast_path
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, PairState, Verdict, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind
from longitudinal_al.rounds import train_round


def assert_complete(watched) -> None:
    """Every unlabelled slice pair is there, once, with a reason."""
    asked = watched.asked
    assert len(asked) == len(set(asked)) == watched.ranking["total"]
    assert set(asked) == watched.open_slice_pairs()
    assert all(len(entry["reason"]) > 10 and entry["patient"] for entry in watched.ranking["ranking"])


def test_without_labels_the_difference_ranks_at_once(small_project, watch) -> None:
    live = watch(small_project)
    assert live.step()
    ranking = live.ranking
    assert (ranking["strategy"], ranking["labels"], ranking["scored"], ranking["model"]) == (
        "difference",
        0,
        0,
        None,
    )
    assert_complete(live)
    scores = [entry["score"] for entry in ranking["ranking"]]
    assert scores[8:] == sorted(scores[8:], reverse=True)
    chosen = ranking["ranking"][:8]
    near = [
        abs(one["slice"] - other["slice"]) * ranking["thickness_mm"][one["pair"]]
        for one in chosen
        for other in chosen
        if one["pair"] == other["pair"] and one is not other
    ]
    assert min(near) >= ranking["spacing_mm"]
    assert not live.step()
    (said,) = live.said(EventKind.RANKING)
    assert said["path"] == ranking_path(small_project.folder)
    assert {key: said[key] for key in ("strategy", "labels", "scored", "total", "model")} == {
        key: ranking[key] for key in ("strategy", "labels", "scored", "total", "model")
    }


def test_the_first_label_gives_a_model_and_its_ranking(small_project, watch) -> None:
    live = watch(small_project)
    live.think()
    (done,) = live.label(1)
    live.think()
    assert live.thoughts[:4] == [Thought.RANKING, Thought.IDLE, Thought.LEARNING, Thought.RANKING]
    ranking = live.ranking
    assert (ranking["strategy"], ranking["labels"], ranking["model"]) == (
        "hybrid",
        1,
        "models/live.safetensors",
    )
    assert ranking["scored"] == ranking["total"]
    assert_complete(live)
    assert done not in live.asked
    assert all("place" in entry["reason"].lower() for entry in ranking["ranking"][8:])
    assert current_committee(small_project)
    assert small_project.rounds() == []  # one label is not worth a round


def test_a_ranking_grows_from_the_head_and_is_complete_all_the_time(small_project, watch) -> None:
    live = watch(small_project, step_seconds=0.0)
    live.think()
    live.label(1)
    before = live.asked
    shares = []
    while live.step():
        if live.loop.thought is Thought.RANKING:
            if live.ranking["labels"] == 0:  # the head is not scored yet
                continue
            assert_complete(live)
            shares.append(live.ranking["scored"])
            entries = live.ranking["ranking"]
            named = [entry.get("strategy") for entry in entries]
            assert named == sorted(named, key=lambda name: name is not None)  # not scored comes last
            assert (
                named.count("difference") == live.ranking["total"] - live.ranking["scored"] or not shares[-1]
            )
            unscored = [entry["score"] for entry in entries if entry.get("strategy")]
            assert unscored == sorted(unscored, reverse=True)
    assert len(set(shares)) >= 3
    assert shares == sorted(shares)
    first = {(e["pair"], e["slice"]) for e in live.ranking["ranking"]}
    assert first <= set(before)


def test_a_label_in_the_middle_of_ranking(small_project, watch) -> None:
    live = watch(small_project, step_seconds=0.0)
    live.label(1)
    live.think(lambda: live.ranking["scored"] > 0)
    assert live.ranking["scored"] < live.ranking["total"]
    (done,) = live.label(1)
    assert live.step()
    assert live.loop.thought is Thought.RANKING
    assert done not in live.asked  # published anew before anything else
    assert_complete(live)
    live.clock.now += 1
    live.think()
    assert live.thoughts.count(Thought.LEARNING) == 2
    assert live.ranking["labels"] == 2
    assert live.ranking["scored"] == live.ranking["total"]


def test_labels_that_keep_coming_do_not_keep_it_from_ranking(small_project, watch) -> None:
    live = watch(small_project, step_seconds=0.0, turn_seconds=1.0)
    scored = []
    for _ in range(60):
        if len(small_project.labelled()) < 12:
            live.label(1)
        live.step()
        if live.loop.thought is Thought.RANKING:
            scored.append(live.ranking["scored"])
    assert live.thoughts.count(Thought.LEARNING) > 2
    assert max(scored) > 0


def test_a_withdrawn_label_is_asked_for_again(small_project, watch) -> None:
    live = watch(small_project)
    done = live.label(2)
    live.think()
    small_project.withdraw_label(*done[0])
    live.think()
    assert done[0] in live.asked
    small_project.withdraw_label(*done[1])
    live.think()
    assert set(done) <= set(live.asked)
    assert_complete(live)


def interrupted_after(live, count: int, error: type[Exception]) -> int:
    """Think to the end while every `count`-th look for an interrupt finds one; return how often it did."""
    looks = hits = 0

    def interrupt() -> None:
        nonlocal looks, hits
        looks += 1
        if looks % count == 0 and hits < 40:
            hits += 1
            raise error("somebody asks")

    for _ in range(3000):
        more = True
        with suppress(error):
            more = live.step(interrupt)
        assert not list(live.project.folder.rglob("*.tmp.*"))
        if not more:
            return hits
    raise AssertionError("it never ends")


@pytest.mark.parametrize("count", [2, 3, 5, 11])
@pytest.mark.parametrize("error", [Interrupted, Cancelled])
def test_interrupted_at_every_boundary_it_comes_to_the_same_end(small_project, watch, count, error) -> None:
    live = watch(small_project)
    live.label(6)
    hits = interrupted_after(live, count, error)
    live.clock.now += 1000
    interrupted_after(live, count, error)
    assert hits > 0
    assert_complete(live)
    assert live.ranking["scored"] == live.ranking["total"]
    (done,) = small_project.rounds()
    assert (done.number, done.labels) == (1, 6)
    assert "cv_patients" in done.figures
    with small_project.writer_lock("test"):
        pass


def test_a_round_needs_labels_and_quiet_and_is_checked(small_project, watch) -> None:
    live = watch(small_project)
    live.label(4)
    live.rest()
    assert small_project.rounds() == []
    live.label(8)
    live.think()
    assert small_project.rounds() == []  # a label came just now
    live.rest()
    (first,) = small_project.rounds()
    assert first.labels == 12
    assert first.figures["last_label"] == small_project.last_label_number()
    assert first.figures["labelling_seconds"] >= 0
    assert first.figures["agreement"] is None
    assert first.figures["cv_labels"] == 12
    live.label(4)
    live.rest()
    assert len(small_project.rounds()) == 1
    live.label(1)
    live.rest()
    second = small_project.rounds()[1]
    assert second.figures["agreement_slice_pairs"] > 50
    assert [data["number"] for data in live.said(EventKind.ROUND)] == [1, 1, 2, 2]
    assert live.ranking["model"] == "models/round-002.safetensors"
    assert Thought.CHECKING in live.thoughts


def test_a_round_gets_its_turn_although_labels_keep_coming(small_project, watch) -> None:
    live = watch(small_project, turn_seconds=1.0, patience_seconds=20.0)
    live.label(5)
    for _ in range(200):
        live.step()
        if small_project.rounds():
            break
        if live.loop.thought is Thought.IDLE or len(live.thoughts) % 3 == 0:
            live.label(1)
        live.clock.now += 1
    assert small_project.rounds()


def test_one_patient_cannot_be_cross_validated_and_that_is_said(small_project, watch) -> None:
    live = watch(small_project)
    live.label(6, pair="p0")
    live.rest()
    (done,) = small_project.rounds()
    assert done.figures["cv_dice"] is None
    assert done.figures["cv_patients"] == 1
    assert done.figures["cv_reason"] == "labels of 1 patient cannot be cross-validated: 3 are the least"


@pytest.mark.parametrize(
    "content", [None, b"", b'{"strategy": "hybrid", "ranking": [{"pa', b"\xff\xfe", b"[]"]
)
def test_a_damaged_ranking_is_made_again(small_project, watch, content) -> None:
    live = watch(small_project)
    live.label(1)
    live.think()
    path = ranking_path(small_project.folder)
    expected = live.asked
    path.unlink() if content is None else path.write_bytes(content)
    live.think()
    assert live.asked == expected
    assert_complete(live)


def test_a_ranking_that_was_asked_for_stays_until_something_is_learned(small_project, watch) -> None:
    live = watch(small_project)
    live.think()
    path = ranking_path(small_project.folder)
    path.write_text('{"strategy": "random", "ranking": [{"pair": "p0", "slice": 3, "score": null}]}')
    assert not live.step()
    assert len(live.asked) == 1
    live.label(1)
    live.think()
    assert_complete(live)


def test_pairs_that_are_prepared_later_are_ranked_too(small_project, watch) -> None:
    pairs = {pair.id: pair for pair in small_project.pairs()}
    small_project.set_failed("p1", "for the test", {})
    live = watch(small_project)
    live.label(1)
    live.think()
    assert {pair for pair, _ in live.asked} == {"p0", "p2"}
    small_project.set_prepared("p1", Verdict.GOOD, "", {}, pairs["p1"].slice_pairs)
    assert pairs["p1"].state is PairState.PREPARED
    live.clock.now += 10
    live.think()
    assert {pair for pair, _ in live.asked} == {"p0", "p1", "p2"}
    assert_complete(live)
    assert live.ranking["scored"] == live.ranking["total"]


def test_labels_that_came_before_their_pairs_are_learned_with_them(small_project, watch) -> None:
    pair = next(each for each in small_project.pairs() if each.id == "p1")
    live = watch(small_project, "entropy")
    live.label(6, "p1")
    small_project.set_failed("p1", "for the test", {})
    live.label(6, "p0")
    live.rest()
    assert [done.labels for done in small_project.rounds()] == [6]
    small_project.set_prepared("p1", Verdict.GOOD, "", {}, pair.slice_pairs)
    live.clock.now += 10
    live.thoughts.clear()
    live.rest()
    assert Thought.LEARNING in live.thoughts
    assert [done.labels for done in small_project.rounds()] == [6, 12]


def test_a_new_round_is_gone_on_from_though_a_label_came_meanwhile(small_project, watch) -> None:
    live = watch(small_project, "entropy", quiet_seconds=1e9, patience_seconds=1e9)
    live.label(6)
    live.think()
    first = train_round(small_project, settings=live.settings.round)
    live.label(1)
    live.think()
    before = live.loop._knowledge.model
    assert before.last_label == small_project.last_label_number()
    small_project.add_round(
        replace(first, number=small_project.next_round_number())
    )  # which was still training when the label came
    live.clock.now += 10
    live.think(until=lambda: live.loop._knowledge.model is not before)
    assert live.loop._knowledge.model.path == first.model
    live.think()
    assert live.ranking["model"] == "models/live.safetensors"
    assert live.loop._knowledge.model.last_label == small_project.last_label_number()


def test_when_everything_is_labelled_the_ranking_is_empty(small_project, watch) -> None:
    live = watch(small_project)
    live.label(10_000)
    live.rest()
    assert live.ranking["total"] == 0
    assert live.asked == []
    assert len(small_project.rounds()) == 1


def test_nothing_prepared_and_nothing_to_think_about(tmp_path, watch) -> None:
    with Project.create(tmp_path / "empty") as project:
        live = watch(project)
        assert not live.step()
        assert live.events == []


def test_a_later_worker_goes_on_from_the_round(small_project, watch) -> None:
    live = watch(small_project)
    live.label(6)
    live.rest()
    live.loop.close()
    ranking_path(small_project.folder).unlink()
    again = watch(small_project)
    again.think()
    assert Thought.LEARNING not in again.thoughts
    assert Thought.ROUND not in again.thoughts
    assert again.ranking["model"] == "models/round-001.safetensors"
    assert again.ranking["scored"] == again.ranking["total"]


def test_a_round_that_knows_as_much_is_not_replaced_by_a_quick_model(small_project, watch) -> None:
    slow = replace(watch(small_project).settings.first, steps=100)
    live = watch(small_project, "entropy", step_seconds=0.0, first=slow)
    live.label(1)
    live.think(until=lambda: live.loop.thought is Thought.LEARNING)
    assert not live_model_path(small_project.folder).exists()
    train_round(small_project, settings=live.settings.round)  # asked for meanwhile
    live.think()
    assert live.thoughts.count(Thought.LEARNING) == 1
    assert live.ranking["model"] == "models/round-001.safetensors"
    assert not live_model_path(small_project.folder).exists()


def test_a_damaged_model_is_told_and_learned_again(small_project, watch) -> None:
    live = watch(small_project)
    live.label(6)
    live.rest()
    live.loop.close()
    (done,) = small_project.rounds()
    done.model.write_bytes(b"damaged")
    again = watch(small_project)
    again.think()
    assert Thought.LEARNING in again.thoughts
    assert again.ranking["model"] == "models/live.safetensors"
    assert str(done.model) in again.said(EventKind.NOTE)[0]["message"]
    live_model_path(small_project.folder).write_bytes(b"damaged too")
    assert_complete(again)


def test_a_round_waits_while_another_process_writes(small_project, watch) -> None:
    live = watch(small_project)
    live.label(6)
    with small_project.writer_lock("prepare"):
        live.rest()
        assert small_project.rounds() == []
    live.clock.now += 10
    live.think()
    assert len(small_project.rounds()) == 1


FOR_USERS = sorted(name for name, one in STRATEGIES.items() if Needs.LABELS not in one.needs)


@pytest.mark.parametrize("name", FOR_USERS)
def test_every_strategy_ranks_completely(small_project, watch, name) -> None:
    live = watch(small_project, name)
    live.label(2)
    live.think()
    assert live.ranking["strategy"] == name
    assert_complete(live)
    assert live.ranking["scored"] == live.ranking["total"]


def test_a_yardstick_is_refused(small_project, watch) -> None:
    with pytest.raises(NotReady, match="simulate"):
        watch(small_project, "foreground_random")


def test_encoders_are_trained_after_the_first_ranking_and_never_again(small_project, watch) -> None:
    live = watch(small_project, "mdal_max")
    live.step()
    assert live.ranking["strategy"] == "difference"
    live.think()
    assert live.thoughts.count(Thought.COMPARING) == 1
    assert live.ranking["strategy"] == "mdal_max"
    assert_complete(live)
    written = contrast_path(small_project.folder).stat().st_mtime_ns
    again = watch(small_project, "mdal_diverse")
    again.think()
    assert again.ranking["strategy"] == "mdal_diverse"
    assert contrast_path(small_project.folder).stat().st_mtime_ns == written


def test_a_cold_start_ranks_until_there_is_a_model(small_project, watch) -> None:
    live = watch(small_project, "recipe")
    live.think()
    assert live.ranking["strategy"] == "difference"
    assert live.ranking["scored"] == 0
    assert_complete(live)
    assert not any("the model" in entry["reason"] for entry in live.ranking["ranking"])
    live.label(2)
    live.think()
    assert live.ranking["strategy"] == "recipe"


def test_a_cold_start_of_ones_own_is_taken(small_project, watch) -> None:
    live = watch(small_project, "entropy", cold_start="mdal_diverse")
    live.think()
    assert live.ranking["strategy"] == "mdal_diverse"
    assert_complete(live)
    live.label(2)
    live.think()
    assert live.ranking["strategy"] == "entropy"


def test_a_cold_start_that_needs_a_model_itself_is_refused_at_once(small_project, watch) -> None:
    with pytest.raises(InvalidInput, match="'bald' needs a model itself"):
        watch(small_project, "entropy", cold_start="bald")


def test_an_ensemble_is_trained_by_the_round_and_ranks(small_project, watch) -> None:
    live = watch(small_project, "vote_entropy:members=2")
    live.label(6)
    live.rest()
    (finished,) = small_project.rounds()
    assert len(load_networks(finished.model)) == 2
    assert live.ranking["model"] == finished.model.relative_to(small_project.folder).as_posix()
    assert live.ranking["scored"] == live.ranking["total"]


def test_a_model_that_was_not_trained_for_the_strategy_is_replaced(small_project, watch) -> None:
    live = watch(small_project, "entropy")
    live.label(6)
    live.rest()
    other = watch(small_project, "learning_loss")
    other.think()
    assert any("learning_loss" in note["message"] for note in other.said(EventKind.NOTE))
    assert other.ranking["strategy"] == "learning_loss"
    assert other.ranking["scored"] == other.ranking["total"]


def test_an_unknown_strategy_lists_the_known_ones(small_project, watch) -> None:
    with pytest.raises(UnknownName, match="hybrid"):
        watch(small_project, "magic")


def test_a_spacing_of_ones_own_stands_in_the_ranking(small_project) -> None:
    loop = LiveLoop(small_project.folder, "hybrid", lambda kind, data: None, spacing_mm=12.5)
    while loop.step(lambda: None):
        pass
    loop.close()
    assert json.loads(ranking_path(small_project.folder).read_text(encoding="utf-8"))["spacing_mm"] == 12.5


def test_a_spacing_that_the_strategy_switches_off_is_0_in_the_ranking(small_project) -> None:
    loop = LiveLoop(small_project.folder, "recipe:spacing=off", lambda kind, data: None, spacing_mm=12.5)
    loop.step(lambda: None)
    loop.close()
    assert json.loads(ranking_path(small_project.folder).read_text(encoding="utf-8"))["spacing_mm"] == 0


def test_a_pair_that_a_human_finds_doubtful_comes_last_at_once(small_project, watch) -> None:
    live = watch(small_project, "recipe")

    def asked_first() -> set[str]:
        live.clock.now += 10
        live.think()
        return {pair for pair, _ in live.asked[: live.settings.batch]}

    doubtful = sorted(asked_first())[0]
    small_project.overrule(doubtful, Verdict.LOOK, "anna")
    assert doubtful not in asked_first()
    small_project.overrule(doubtful, Verdict.GOOD, "anna")
    assert doubtful in asked_first()


def test_labels_that_all_are_of_another_size_are_told_once_and_the_difference_ranks_on(
    small_project, watch
) -> None:
    now = utc_now()
    for index in range(8, 16):
        mask = np.ones((64, 60), np.uint8)
        small_project.save_label(Label("p1", index, mask, "tester", now, now))
    live = watch(small_project, "recipe")
    live.rest()
    live.rest()
    (note,) = live.said(EventKind.NOTE)
    assert "another size" in note["message"]
    assert live.ranking["strategy"] == "difference"
    assert_complete(live)
    live.label(1, "p0")
    live.rest()
    assert live.ranking["strategy"] == "recipe"
