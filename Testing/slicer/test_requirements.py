"""Which packages are missing, in words, and what a click on *Install* does; nothing is really installed."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import stand_ins  # first: it skips where Qt or slicer-core is missing
from packaging.requirements import Requirement

from LongitudinalALLib import Requirements as module
from LongitudinalALLib.Requirements import REQUIREMENTS_FILE, Requirements

ROOT = Path(__file__).parents[2]


class Packaging:
    """Stands in for `slicer.packaging`: its functions, on a list of what is there."""

    def __init__(self, there: set[str]) -> None:
        self.there = there
        self.installed: list[list[str]] = []
        self.status = 0
        self.error: Exception | None = None

    def load_requirements(self, path: str) -> list[Requirement]:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return [Requirement(line) for line in lines if line and not line.startswith("#")]

    def pip_check(self, requirement: Requirement) -> bool:
        return requirement.name in self.there

    def pip_install(
        self, packages: list[str], *, blocking: bool, requester: str, logCallback: Any, completedCallback: Any
    ) -> None:
        assert not blocking
        if self.error:
            raise self.error
        self.installed.append(packages)
        logCallback("Collecting")
        if self.status == 0:
            self.there |= {Requirement(package).name for package in packages}
        completedCallback(self.status)


ALL = {
    Requirement(line).name for line in REQUIREMENTS_FILE.read_text().splitlines() if line and line[0] != "#"
}


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Versions by name, as `importlib.metadata` would say them; torch is missing at first."""
    versions: dict[str, str] = {}
    monkeypatch.setattr(module, "_version", lambda name: versions.get(name, ""))
    return versions


@pytest.fixture(autouse=True)
def application(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Slicer, not in testing mode, and a user who agrees."""
    app = SimpleNamespace(testingEnabled=lambda: False)
    monkeypatch.setattr(stand_ins.slicer, "app", app, raising=False)
    monkeypatch.setattr(stand_ins.slicer.util, "confirmOkCancelDisplay", lambda *_a: True, raising=False)
    return app


def installed(requirements: Requirements) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    ends: list[str] = []
    requirements.install(lines.append, ends.append)
    return lines, ends


def test_the_file_has_what_the_engine_needs_but_torch() -> None:
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lines = [
        line
        for line in REQUIREMENTS_FILE.read_text(encoding="utf-8").splitlines()
        if line[:1] not in ("", "#")
    ]
    assert sorted(lines, key=str.lower) == sorted(
        (each for each in needed if not each.startswith("torch>")), key=str.lower
    )
    assert module.TORCH in needed
    assert not any("==" in line for line in lines)


def test_with_all_there_nothing_is_said(torch: dict[str, str]) -> None:
    torch["torch"] = "2.9"
    assert Requirements(Packaging(set(ALL))).missing() is None


def test_what_is_missing_is_said_with_size_place_and_backend(torch: dict[str, str], tmp_path: Path) -> None:
    text = Requirements(Packaging(ALL - {"monai"}), folder=tmp_path / "not there yet").missing()
    assert text is not None
    assert "2 Python packages are missing: torch>=2.4, monai>=1.4" in text
    assert str(tmp_path) in text
    assert re.search(r"up to [\d.]+ GB in .*, where \d+ GB are free", text)
    assert "Computing will use" in text
    assert "work without them" in text


def test_without_room_it_says_so(
    torch: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1e9))
    assert "make room" in (Requirements(Packaging(set()), folder=tmp_path).missing() or "")


def test_torch_comes_first_and_by_its_own_extension(torch: dict[str, str]) -> None:
    def installTorch(*, askConfirmation: bool, torchVersionRequirement: str) -> object:
        assert askConfirmation
        assert torchVersionRequirement == ">=2.4"
        torch["torch"] = "2.9"
        return object()

    packaging = Packaging(ALL - {"monai"})
    lines, ends = installed(Requirements(packaging, SimpleNamespace(installTorch=installTorch)))
    assert ends == [""]
    assert lines == ["Collecting"]
    assert packaging.installed == [["monai>=1.4"]]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (lambda **_n: None, "declined"),
        (lambda **_n: (_ for _ in ()).throw(RuntimeError("no network")), "no network"),
        (lambda **_n: (_ for _ in ()).throw(ImportError("DLL load failed")), "DLL load failed"),
    ],
    ids=["declined", "failed", "installed and broken"],
)
def test_without_torch_the_rest_is_left_alone(torch: dict[str, str], outcome: Any, said: str) -> None:
    packaging = Packaging(set())
    _lines, ends = installed(Requirements(packaging, SimpleNamespace(installTorch=outcome)))
    assert len(ends) == 1
    assert said in ends[0]
    assert packaging.installed == []


def test_without_the_extension_it_says_where_to_get_it(torch: dict[str, str]) -> None:
    _lines, ends = installed(Requirements(Packaging(set())))
    assert len(ends) == 1
    assert "extension PyTorch is missing" in ends[0]


def test_the_user_is_asked_and_may_decline(torch: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    torch["torch"] = "2.9"
    monkeypatch.setattr(stand_ins.slicer.util, "confirmOkCancelDisplay", lambda *_a: False, raising=False)
    packaging = Packaging(ALL - {"monai"})
    assert "declined" in installed(Requirements(packaging))[1][0]
    assert packaging.installed == []


def test_a_failed_pip_is_told_in_words(torch: dict[str, str]) -> None:
    torch["torch"] = "2.9"
    packaging = Packaging(ALL - {"monai"})
    packaging.status = 1
    assert installed(Requirements(packaging))[1] == ["Installing failed (pip ended with 1): monai>=1.4."]
    packaging.error = RuntimeError("already in progress")
    assert "already in progress" in installed(Requirements(packaging))[1][0]


def test_nothing_is_installed_while_slicer_is_tested(
    torch: dict[str, str], application: SimpleNamespace
) -> None:
    application.testingEnabled = lambda: True
    packaging = Packaging(set())
    assert "tested" in installed(Requirements(packaging))[1][0]
    assert packaging.installed == []
