"""1 Project, pressed like a user would: what it sends, and what it shows."""

from __future__ import annotations

import pytest
from section_host import Heard, isShown

from LongitudinalALLib.Sections.ProjectSection import ProjectSection


@pytest.fixture
def project() -> ProjectSection:
    return ProjectSection(ask=lambda _title: "/a folder")


def test_a_project_is_opened_and_made(project: ProjectSection) -> None:
    heard = Heard(project)
    project.ui.openButton.click()
    project.ui.createButton.click()
    project._ask = lambda _title: ""  # the user closes the question
    project.ui.openButton.click()
    assert heard.take() == [("openRequested", "/a folder"), ("createRequested", "/a folder")]


def test_missing_packages_are_named_and_installed_on_a_click(project: ProjectSection) -> None:
    assert not isShown(project.ui.missingBox)
    heard = Heard(project)
    project.showMissingPackages("torch is missing")
    assert isShown(project.ui.missingBox)
    project.ui.installButton.click()
    project.setInstalling(True)
    project.ui.installButton.click()
    project.showInstallLine("Collecting torch")
    assert heard.take() == [("installRequested",)]
    project.showMissingPackages(None)
    assert not isShown(project.ui.missingBox)
    assert project.ui.installButton.isEnabled()


def test_where_things_stand_and_what_went_wrong(project: ProjectSection) -> None:
    project.showProject("/a")
    project.showStanding("12 pairs")
    project.showError("the disk is full")
    assert [
        each.text() for each in (project.ui.folderLabel, project.ui.standingLabel, project.ui.errorLabel)
    ] == [
        "/a",
        "12 pairs",
        "the disk is full",
    ]
    project.showError(None)
    assert not isShown(project.ui.errorLabel)


def test_who_labels_is_told_once_when_it_changes(project: ProjectSection) -> None:
    heard = Heard(project)
    project.showAnnotator("anna")
    project.ui.annotatorEdit.editingFinished.emit()  # the focus left it, nothing has changed
    project.ui.annotatorEdit.setText(" bert ")
    project.ui.annotatorEdit.editingFinished.emit()
    project.ui.annotatorEdit.editingFinished.emit()
    assert heard.take() == [("annotatorNamed", "bert")]
