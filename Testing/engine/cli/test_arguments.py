"""What the options of the commands understand."""

import argparse

import pytest

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.cli import experiment
from longitudinal_al.cli.arguments import names
from longitudinal_al.errors import UnknownName


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("random", ["random"]),
        ("random, entropy,random", ["random", "entropy"]),
        ("recipe:spacing=off", ["recipe:spacing=off"]),
        (
            "random,recipe:changes=off,spacing=off,entropy,recipe",
            ["random", "recipe:changes=off,spacing=off", "entropy", "recipe"],
        ),
        ("a:x=1,b:y=2", ["a:x=1", "b:y=2"]),
    ],
)
def test_names_by_commas_with_settings(text, expected):
    assert names(text) == expected


@pytest.mark.parametrize("text", ["", "a,,b", "a,"])
def test_an_empty_name_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="empty name"):
        names(text)


def test_every_strategy_can_be_asked_for_by_one_word_and_settings_by_theirs():
    parser = argparse.ArgumentParser()
    experiment.add_arguments(parser)

    def arms(words):
        given = ["--size", "small", "--out", "folder", "--strategies", words]
        return [arm.name for arm in experiment.chosen_plan(parser.parse_args(given)).arms]

    assert arms("every") == list(STRATEGIES)
    assert arms("random; recipe:spacing=off") == ["random", "recipe:spacing=off"]
    with pytest.raises(UnknownName):
        arms("magic")
