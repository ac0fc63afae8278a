from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.reasons import REASONS, Facts, gather, ordinal, reason, reasons
from longitudinal_al.acquisition.selectors.recipe import FEW_PATIENTS, SEEN_LITTLE
from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.errors import UnknownName

LABELLED = LabelledSlices(["a"], ["p"], [10], [30.0])
POOL = Candidates(
    pair=["a", "a", "b", "b"],
    patient=["p", "p", "q", "q"],
    slice=[0, 6, 0, 1],
    position_mm=[0.0, 18.0, 0.0, 3.0],
    score=[0.4, 0.2, 0.9, 0.4],
    labelled=LABELLED,
)


def test_every_strategy_has_a_reason():
    assert set(REASONS) == set(STRATEGIES)
    with pytest.raises(UnknownName):
        reason("nothing", Facts(pool=1))


@pytest.mark.parametrize(
    ("strategy", "facts", "sentence"),
    [
        ("entropy", Facts(pool=420, place=2), "The model is uncertain here (2nd of 420 slice pairs)."),
        (
            "entropy",
            Facts(pool=420, place=2, difference_place=1),
            "The model is uncertain here (2nd of 420 slice pairs); the largest difference of this patient.",
        ),
        (
            "margin",
            Facts(pool=9, equals=2),
            "The model can hardly decide between change and no change (joint 1st of 9 slice pairs).",
        ),
        ("random", Facts(pool=420), "Drawn at random from 420 slice pairs."),
        ("strided", Facts(pool=420, stride=13), "Every 13th slice pair of the pool."),
        ("strided", Facts(pool=4, stride=1), "Every slice pair of the pool."),
        (
            "difference",
            Facts(pool=420, place=7, difference_place=1),
            "The largest difference of this patient (7th of 420 slice pairs).",
        ),
        (
            "difference",
            Facts(pool=420, place=7, difference_place=3),
            "The 3rd largest difference of this patient (7th of 420 slice pairs).",
        ),
        (
            "kcenter",
            Facts(pool=5, labelled=3, patient_labelled=1),
            "Unlike every slice pair labelled so far.",
        ),
        ("kcenter", Facts(pool=5), "The most typical slice pair, to begin with."),
        ("kcenter", Facts(pool=5, turn=2), "Unlike the ones asked for before it."),
        (
            "kcenter",
            Facts(pool=5, labelled=3),
            "Unlike every slice pair labelled so far; nothing of this patient is labelled yet.",
        ),
        (
            "entropy",
            Facts(pool=5, usable=False),
            "There is no usable score here, and nothing better is left.",
        ),
        (
            "difference",
            Facts(pool=84, place=70, equals=15, patient_labelled=1, difference_place=0),
            "Hardly any difference (joint 70th of 84 slice pairs).",
        ),
        (
            "score_per_second",
            Facts(pool=5, patient_labelled=1, seconds=12.4, time_model="fitted to 57 labels"),
            "The model is uncertain here, which is much for about 12 s of work (times fitted to 57 labels) "
            "(1st of 5 slice pairs).",
        ),
        ("random", Facts(pool=5, usable=False), "Drawn at random from 5 slice pairs."),
        (
            "recipe",
            Facts(
                pool=420,
                place=30,
                sure_place=2,
                labelled=8,
                patient_labelled=1,
                patients=FEW_PATIENTS,
                settings={"changes": True},
            ),
            "2nd by how surely it has changed and 30th by doubt of 420 slice pairs.",
        ),
        (
            "recipe",
            Facts(
                pool=420, place=3, sure_place=90, labelled=8, patient_labelled=1, settings={"changes": False}
            ),
            "3rd by doubt of 420 slice pairs.",
        ),
        (
            "recipe",
            Facts(
                pool=420,
                place=30,
                sure_place=2,
                labelled=8,
                patient_labelled=1,
                patients=FEW_PATIENTS - 1,
                settings={"changes": True},
            ),
            "30th by doubt of 420 slice pairs.",
        ),
        (
            "recipe",
            Facts(pool=420, place=3, labelled=SEEN_LITTLE, patient_labelled=1, settings={"changes": True}),
            "3rd by doubt of 420 slice pairs.",
        ),
    ],
)
def test_known_sentences(strategy, facts, sentence):
    assert reason(strategy, facts) == sentence


def test_facts_are_counted_from_the_pool():
    facts = gather(POOL, [2, 3, 1], difference_places=np.array([2, 1, 0, 1]))
    assert facts[0] == Facts(pool=4, labelled=1, patient_labelled=0, patients=2, difference_place=0)
    second = replace(facts[0], place=2, equals=2, patient_place=2, turn=2, difference_place=1)
    assert facts[1] == second
    assert facts[2].place == 4
    assert facts[2].patient_place == 2
    assert facts[2].nearest_mm == 12.0
    assert facts[2].patient_labelled == 1
    assert facts[2].difference_place == 1


def test_reasons_come_in_the_order_of_the_batch():
    first, second = reasons(STRATEGIES["entropy"], POOL, [2, 1])
    assert (
        first
        == "The model is uncertain here (1st of 4 slice pairs); nothing of this patient is labelled yet."
    )
    assert (
        second == "The model is uncertain here (4th of 4 slice pairs); 12 mm from the nearest labelled slice."
    )


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_a_slice_pair_without_a_usable_score_says_so(bad):
    pool = replace(POOL, score=np.array([0.4, 0.2, 0.9, bad]))
    assert reasons(STRATEGIES["bald"], pool, [3])[0].startswith("There is no usable score here")


def test_ordinals():
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
    )
