"""What the options of the commands understand."""

import argparse

import pytest

from longitudinal_al.cli.arguments import names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("random", ["random"]),
        ("random, entropy,random", ["random", "entropy"]),
        ("recipe:audit=off", ["recipe:audit=off"]),
        (
            "random,recipe:audit=off,spacing=off,entropy,recipe",
            ["random", "recipe:audit=off,spacing=off", "entropy", "recipe"],
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
