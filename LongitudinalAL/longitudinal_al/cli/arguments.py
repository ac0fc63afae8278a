"""Kinds of arguments that several commands share, checked before any work begins."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_project(parser: argparse.ArgumentParser) -> None:
    """Add the project's folder as the first argument."""
    parser.add_argument("project", metavar="PROJECT", type=_folder, help="the project's folder")


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the seed; the same seed on the same machine gives the same result."""
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="S", help="seed of chance (default: 0)"
    )


def add_cold_start(parser: argparse.ArgumentParser) -> None:
    """Add the strategy of the time without a model."""
    parser.add_argument(
        "--cold-start",
        metavar="NAME",
        default="",
        help="the strategy that chooses as long as there is no model, such as mdal_diverse "
        "(default: what the strategy itself names)",
    )


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """Add the address of a Dask cluster to work on."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="share the work of a Dask cluster, all of whose computers see the same folders "
        "(needs longitudinal-al[cluster])",
    )


def whole_number(text: str) -> int:
    """Read a whole number of 0 or more."""
    number = _int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative; give 0 or more")
    return number


def positive_number(text: str) -> int:
    """Read a whole number of 1 or more."""
    number = _int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too small; give 1 or more")
    return number


def fraction(text: str) -> float:
    """Read a share above 0 and up to 1; "8%" is understood."""
    number = _float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(
            f"{text} is no share; give a number above 0 and up to 1, such as 0.08"
        )
    return number


def millimetres(text: str) -> float:
    """Read a distance of 0 mm or more."""
    return _amount(text, "distance; give millimetres")


def weight(text: str) -> float:
    """Read the weight of a term of the loss, 0 or more."""
    return _amount(text, "weight; give a number")


def names(text: str) -> list[str]:
    """Read names that are separated by commas; each counts once.

    The settings of a name follow a colon, by commas too: "random,recipe:changes=off,spacing=off" is two.
    """
    given: list[str] = []
    for name in (part.strip() for part in text.split(",")):
        if not name:
            raise argparse.ArgumentTypeError(f"{text!r} has an empty name; separate names by single commas")
        if "=" in name and ":" not in name and given and ":" in given[-1]:
            given[-1] += f",{name}"
        else:
            given.append(name)
    return list(dict.fromkeys(given))


def _amount(text: str, what: str) -> float:
    number = _float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no {what}, 0 or more")
    return number


def _folder(text: str) -> Path:
    """Read a folder; nothing, as from a variable of the shell that is not set, is not the present one."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the folder's name is empty")
    return Path(text)


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from error


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
