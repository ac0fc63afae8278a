"""Which Python packages the worker lacks, what installing them means, and installing them on a click."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

REQUIREMENTS_FILE = Path(__file__).resolve().parents[1] / "Resources" / "requirements.txt"
TORCH = "torch>=2.4"
GIGABYTES = {"cuda": 6.0, "cpu": 1.2, "mps": 0.7}
"""Space that torch takes by the backend chosen, in GB, rounded up."""
OTHER_GIGABYTES = 0.8
WINDOWS_PATH_LETTERS = 120
"""Longer folders than this make paths in torch that Windows may refuse (260 letters)."""
_BACKEND_WORDS = {
    "cuda": _("CUDA (an NVIDIA driver was found)"),
    "cpu": _("CPU (no NVIDIA driver was found)"),
    "mps": _("Apple's GPU"),
}
Told = Callable[[str], None]


class Requirements:
    """The packages of the worker in Slicer's own Python.

    Nothing is imported to find out what is there, and nothing is installed unasked.

    Contract: Slicer `Base/Python/slicer/packaging.py` (5.11 and later): `load_requirements`, `pip_check`,
    `pip_install(blocking=False, logCallback=, completedCallback=)`; SlicerPyTorch
    `PyTorchUtils/PyTorchUtils.py`: `PyTorchUtilsLogic().installTorch(askConfirmation=,
    torchVersionRequirement=)` returns None when the user declined.

    Parameters
    ----------
    packaging : module, optional
        `slicer.packaging` by default.
    torchInstaller : object, optional
        Has `installTorch`; that of the PyTorch extension by default.
    folder : Path, optional
        Where packages are installed.
    """

    def __init__(self, packaging: Any = None, torchInstaller: Any = None, folder: Path | None = None) -> None:
        self._packaging = packaging
        self._torchInstaller = torchInstaller
        self._folder = folder or Path(sysconfig.get_paths()["purelib"])

    def missingPackages(self) -> list[str]:
        """Return the requirements that are not met, torch first."""
        known = self._slicerPackaging()
        others = [
            each for each in known.load_requirements(str(REQUIREMENTS_FILE)) if not known.pip_check(each)
        ]
        return ([] if _version("torch") else [TORCH]) + [str(each) for each in others]

    def missing(self) -> str | None:
        """Say what is missing, and what installing it means: size, place, backend."""
        missing = self.missingPackages()
        if not missing:
            return None
        free = shutil.disk_usage(_existing(self._folder)).free / 1e9
        size = OTHER_GIGABYTES + (GIGABYTES[backend()] if TORCH in missing else 0)
        sentences = [
            _("To prepare, learn and predict, {number} Python packages are missing: {names}.").format(
                number=len(missing), names=", ".join(missing)
            ),
            _("They take up to {size:.1f} GB in {folder}, where {free:.0f} GB are free.").format(
                size=size, folder=self._folder, free=free
            ),
        ]
        if TORCH in missing:
            sentences.append(_("Computing will use: {backend}.").format(backend=_BACKEND_WORDS[backend()]))
        if free < size:
            sentences.append(_("That is too little space: make room first."))
        if sys.platform == "win32" and len(str(self._folder)) > WINDOWS_PATH_LETTERS:
            sentences.append(
                _("The path of that folder is long for Windows: install Slicer into a shorter one.")
            )
        sentences.append(
            _("Opening projects, adding pairs and labelling what is prepared work without them.")
        )
        return " ".join(sentences)

    def install(self, line: Told, finished: Told) -> None:
        """Install what is missing, after the user was asked once more.

        Parameters
        ----------
        line : callable
            Gets each line that pip says.
        finished : callable
            Gets what went wrong, in words; nothing when all is there.
        """
        if slicer.app.testingEnabled():
            finished(_("Nothing is installed while Slicer is being tested."))
            return
        missing = self.missingPackages()
        if TORCH in missing:
            problem = self._installTorch()
            if problem:
                finished(problem)
                return
        others = [each for each in missing if each != TORCH]
        if not others:
            finished("")
        elif TORCH in missing or self._isAgreed(others):
            self._pipInstall(others, line, finished)
        else:
            finished(_("Nothing was installed: it was declined."))

    # What is behind it

    def _slicerPackaging(self) -> Any:
        if self._packaging is None:
            import slicer.packaging

            self._packaging = slicer.packaging
        return self._packaging

    def _installTorch(self) -> str:
        """Install torch by the PyTorch extension, which asks; returns what went wrong."""
        if self._torchInstaller is None:
            try:
                import PyTorchUtils
            except ImportError:
                return _(
                    "The extension PyTorch is missing: install it in the Extensions Manager, and restart "
                    "Slicer."
                )
        try:
            if self._torchInstaller is None:
                self._torchInstaller = PyTorchUtils.PyTorchUtilsLogic()
            installed = self._torchInstaller.installTorch(
                askConfirmation=True, torchVersionRequirement=TORCH.removeprefix("torch")
            )
        except Exception as error:  # whatever pip, the network or an import of torch throws, Slicer goes on
            return _("PyTorch could not be installed: {reason}").format(reason=error)
        return (
            "" if installed is not None or _version("torch") else _("Nothing was installed: it was declined.")
        )

    def _isAgreed(self, packages: list[str]) -> bool:
        """Ask the user. Contract: Slicer `Base/Python/slicer/util.py`, `confirmOkCancelDisplay`."""
        question = _("Install into Slicer's Python: {names}?").format(names=", ".join(packages))
        return bool(slicer.util.confirmOkCancelDisplay(question, "LongitudinalAL"))

    def _pipInstall(self, packages: list[str], line: Told, finished: Told) -> None:
        def completed(status: int) -> None:
            importlib.invalidate_caches()
            still = self.missingPackages()
            if status == 0 and not still:
                finished("")
            else:
                names = ", ".join(still or packages)
                finished(
                    _("Installing failed (pip ended with {status}): {names}.").format(
                        status=status, names=names
                    )
                )

        try:
            self._slicerPackaging().pip_install(
                packages,
                blocking=False,
                requester="LongitudinalAL",
                logCallback=line,
                completedCallback=completed,
            )
        except Exception as error:
            finished(_("Installing failed: {reason}").format(reason=error))


def backend() -> str:
    """Return what torch will compute on: `cuda`, `mps` or `cpu`."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    return "cuda" if shutil.which("nvidia-smi") else "cpu"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path.cwd())
