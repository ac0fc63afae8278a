"""What is installed, and how the extension is described."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "LongitudinalAL"
TOP = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
LISTS = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")


KEYS = {
    *("$schema", "category", "scm_url", "scm_revision", "scm_type"),
    *("build_dependencies", "build_subdirectory", "enabled", "tier"),
}
"""What an entry may have: Slicer `Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json`; version 1.0.2
allows the same, and one more."""


def listed(name: str) -> list[str]:
    found = re.search(rf"set\({name}\n(.*?)\n\s*\)", LISTS, re.DOTALL)
    assert found, name
    return found.group(1).split()


def onDisk(folder: str, *patterns: str) -> set[str]:
    paths = (path for pattern in patterns for path in (MODULE / folder).rglob(pattern))
    return {
        path.relative_to(MODULE).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def described(name: str) -> str:
    found = re.search(rf'^set\({name} "([^"]*)"\)$', TOP, re.MULTILINE)
    assert found, f"{name} is not one quoted set()"
    repository = re.search(r'set\(LongitudinalAL_REPOSITORY "([^"]*)"\)', TOP)
    assert repository
    return found.group(1).replace("${LongitudinalAL_REPOSITORY}", repository.group(1))


def test_every_script_is_listed_once_and_is_there() -> None:
    scripts = listed("MODULE_PYTHON_SCRIPTS")
    expected = {"LongitudinalAL.py"} | onDisk("LongitudinalALLib", "*.py") | onDisk("longitudinal_al", "*.py")
    assert sorted(scripts) == sorted(expected)


def test_every_resource_is_listed_once_and_is_there() -> None:
    assert sorted(listed("MODULE_PYTHON_RESOURCES")) == sorted(
        onDisk("Resources", "*") | onDisk("longitudinal_al", "*.j2", "*.json")
    )


@pytest.mark.parametrize(
    "name", ["HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"]
)
def test_the_extension_is_described(name: str) -> None:
    assert described(f"EXTENSION_{name}")


def test_the_order_that_slicer_asks_for() -> None:
    steps = [
        "project(LongitudinalAL)",
        "set(EXTENSION_HOMEPAGE",
        "find_package(Slicer REQUIRED)",
        "include(${Slicer_USE_FILE})",
        "add_subdirectory(LongitudinalAL)",
        "include(${Slicer_EXTENSION_GENERATE_CONFIG})",
        "include(${Slicer_EXTENSION_CPACK})",
    ]
    places = [TOP.index(step) for step in steps]
    assert places == sorted(places)
    assert "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)" in LISTS


def test_pictures_are_where_their_addresses_point() -> None:
    addresses = [described("EXTENSION_ICONURL"), *described("EXTENSION_SCREENSHOTURLS").split()]
    for address in addresses:
        assert (ROOT / address.partition("/raw/main/")[2]).is_file(), address


@pytest.mark.parametrize(
    "path", ["Resources/LongitudinalAL.png", "LongitudinalAL/Resources/Icons/LongitudinalAL.png"]
)
def test_icons_have_the_size_that_slicer_asks_for(path: str) -> None:
    width, height = struct.unpack(">II", (ROOT / path).read_bytes()[16:24])
    assert (width, height) == (128, 128)


def test_the_entry_of_the_index_agrees_with_the_extension() -> None:
    text = (ROOT / "docs" / "LongitudinalAL.json").read_bytes()
    assert b"\r" not in text
    entry = json.loads(text)
    assert entry["$schema"].endswith("v1.0.1.json#")
    assert entry["category"] == "Active Learning"
    assert entry["build_dependencies"] == described("EXTENSION_DEPENDS").split()
    assert entry["scm_url"] == described("EXTENSION_HOMEPAGE") + ".git"
    assert entry["tier"] in (1, 3, 5)
    assert set(entry) <= KEYS
