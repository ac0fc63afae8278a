"""1 Project: create, open, reopen; where things stand; what is missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import StorageFailed
from longitudinal_al.frontend.learning import RoundFigures, learning_so_far
from longitudinal_al.frontend.login import login_name
from longitudinal_al.protocol import Event, EventKind
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.Study import Study


class ProjectLogic:
    """From the section Project to the study.

    Parameters
    ----------
    section : ProjectSection
    study : Study
    settings : Settings, optional
        `value(name)` and `setValue(name, value)`; keeps the last project.
    requirements : object, optional
        `missing()` says what is missing, or None; `install(onLine, onEnd)` installs it and then calls
        `onEnd(error)`, with an empty text when all went well.
    """

    def __init__(self, section: Any, study: Study, settings: Any = None, requirements: Any = None) -> None:
        self._section = section
        self._study = study
        self._settings = settings
        self._requirements = requirements
        section.createRequested.connect(self.create)
        section.openRequested.connect(self.open)
        section.installRequested.connect(self.install)
        section.annotatorNamed.connect(self.nameAnnotator)
        study.opened.connect(self.refresh)
        study.closing.connect(self._onClosing)
        study.labelsChanged.connect(self.refresh)
        study.pairsChanged.connect(self.refresh)
        study.happened.connect(self._onEvent)
        study.troubled.connect(self.showError)
        if settings is not None:
            study.annotator = str(settings.value("annotator"))
            section.showAnnotator(study.annotator)

    @guarded
    def begin(self, folder: str = "") -> None:
        """Say what is missing, and open a project again: that of a saved scene, or else the last one."""
        self.showMissing()
        last = folder or (self._settings.value("project") if self._settings is not None else "")
        if last and not self._study.isOpen and _isThere(Path(last)):
            self.open(last)

    @guarded
    def create(self, path: str) -> None:
        """Make a project in a folder, and open it."""
        self._section.showError("")
        self._study.create(Path(path))
        self._opened()

    @guarded
    def open(self, path: str) -> None:
        """Open a project."""
        self._section.showError("")
        self._study.open(Path(path))
        self._opened()

    @guarded
    def nameAnnotator(self, name: str) -> None:
        """Keep who labels, for all labels from now on; nobody is the one who is logged in."""
        if not name:
            name = login_name()
            self._section.showAnnotator(name)
        if self._settings is not None:
            self._settings.setValue("annotator", name)
        self._study.setAnnotator(name)

    def install(self) -> None:
        """Install what is missing; the user has clicked for it."""
        if self._requirements is not None:
            self._section.setInstalling(True)
            self._requirements.install(self._section.showInstallLine, self._onInstalled)

    @guarded
    def refresh(self) -> None:
        """Show where things stand."""
        if self._study.isOpen:
            self._section.showStanding(standing(self._study.project))

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.showError(text)

    def showMissing(self) -> None:
        """Say what is to be installed, if anything."""
        self._section.showMissingPackages(
            self._requirements.missing() if self._requirements is not None else None
        )

    def _opened(self) -> None:
        folder = str(self._study.project.folder)
        self._section.showProject(folder)
        if self._study.workerProblem:  # else what went wrong while the other one was closed stays
            self._section.showError(self._study.workerProblem)
        if self._settings is not None:
            self._settings.setValue("project", folder)

    def _onInstalled(self, error: str) -> None:
        self._section.setInstalling(False)
        self._section.showError(error)
        self.showMissing()
        if not error:
            self._study.restartWorker()

    def _onEvent(self, event: Event) -> None:
        if event.kind is EventKind.ROUND or event.kind.is_terminal:
            self.refresh()
        if event.kind is EventKind.CRASHED and event.id is None:
            self.showError(str(event.data.get("message", "")))
        if event.kind is EventKind.NOTE:
            self.showError(str(event.data.get("message", "")))

    def _onClosing(self) -> None:
        self._section.showProject("")
        self._section.showStanding("")


def _isThere(folder: Path) -> bool:
    """Tell whether a folder is there; `StorageFailed` where that cannot be seen: a share not signed in."""
    try:
        return folder.is_dir()
    except OSError as error:
        words = _(
            "the project's folder {folder} cannot be reached ({reason}): connect the disk, or sign in to the "
            "share, and open it again"
        )
        raise StorageFailed(words.format(folder=folder, reason=error.strerror or error)) from error


def standing(project: Any) -> str:
    """Say in one line where a project stands."""
    counts = project.status()
    parts = [
        _counted(counts["pairs"], _("1 pair"), _("{number} pairs")),
        _counted(counts["slice_pairs"], _("1 slice pair"), _("{number} slice pairs")),
        _("{number} labelled").format(number=counts["labelled"]),
    ]
    if counts["unprepared_pairs"]:
        parts.append(
            _counted(counts["unprepared_pairs"], _("1 pair to prepare"), _("{number} pairs to prepare"))
        )
    if counts["failed_pairs"]:
        parts.append(_counted(counts["failed_pairs"], _("1 pair failed"), _("{number} pairs failed")))
    rounds = learning_so_far(project).rounds
    return ", ".join([*parts, *(_model(rounds[-1]) if rounds else [_("no model yet")])])


def _model(newest: RoundFigures) -> list[str]:
    ended = newest.ended.astimezone()
    today = ended.date() == datetime.now().astimezone().date()
    time = f"{ended:%H:%M}" if today else f"{ended:%Y-%m-%d %H:%M}"
    return [_("model of {time}").format(time=time), *_measure(newest)]


def _measure(newest: RoundFigures) -> list[str]:
    """Return the F1 by lesions, or where there is none the Dice, cross-validated, with its interval."""
    for name, value, low, high in (
        ("F1", newest.f1, newest.f1_low, newest.f1_high),
        ("Dice", newest.dice, newest.dice_low, newest.dice_high),
    ):
        if value is not None and low is not None and high is not None:
            words = _("{measure} {value} ({low} to {high})")
            return [words.format(measure=name, value=f"{value:.2f}", low=f"{low:.2f}", high=f"{high:.2f}")]
    return []


def _counted(number: int, one: str, many: str) -> str:
    return one if number == 1 else many.format(number=number)
