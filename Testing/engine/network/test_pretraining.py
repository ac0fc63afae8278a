"""Pretraining on painted changes: it learns without labels, is kept, and is where a training begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from longitudinal_al.lessons import learn, read_lesson
from longitudinal_al.network import pretraining, training
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.prediction import predict
from longitudinal_al.network.pretraining import labels_alone, pretrain, pretrained, start_of
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.augmentation import Augmentation
from longitudinal_al.pairs.painted_lesions import Painting
from longitudinal_al.pairs.painted_slice_pairs import PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.project.store import Project

SMALL = Architecture(widths=(8, 8, 16, 16))
QUICK = TrainingSettings(steps=1, batch=4, patch=32, architecture=SMALL, pretraining=6)


def weights(network: ChangeNetwork) -> torch.Tensor:
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


def test_without_any_label_it_finds_changes_that_were_never_painted(training_pool, unseen_pool) -> None:
    architecture, augmentation = Architecture(widths=(8, 16, 24, 32)), Augmentation(noise=0.1)
    settings = TrainingSettings(
        batch=8, patch=48, architecture=architecture, augmentation=augmentation, pretraining=80
    )
    easy = Painting(volume_mm3=500.0, volume_spread=0.3, contrast=(2.0, 4.0))
    network = pretrain(training_pool, settings, seed=2, painting=easy)
    (predicted,) = predict([network], unseen_pool, range(len(unseen_pool)))
    ratios = []
    for row, probability in enumerate(predicted.members[0].cpu().numpy()):
        change = unseen_pool.masks[row]
        if change.any():
            ratios.append(probability[change].mean() / probability[~change].mean())
    assert min(ratios) > 2, ratios


def test_no_label_and_no_reference_is_looked_at(
    small_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a label was asked for")

    monkeypatch.setattr(PreparedPair, "reference_slices", refuse)
    monkeypatch.setattr(Project, "label", refuse)
    pretrain(Pool.open(small_project), QUICK, seed=0)


def test_it_is_made_once_for_a_pool_settings_and_seed(
    small_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, said = Pool.open(small_project), []
    first = pretrained(tmp_path, pool, QUICK, seed=1, tell=said.append)
    assert len(said) == 1
    (file,) = tmp_path.glob("pretrained-*.safetensors")
    pretrained(tmp_path, pool, QUICK, seed=2)
    pretrained(tmp_path, pool, replace(QUICK, pretraining=12), seed=1)
    assert len(list(tmp_path.glob("pretrained-*.safetensors"))) == 3
    file.write_bytes(b"cut")
    again = pretrained(tmp_path, pool, QUICK, seed=1)
    assert torch.equal(weights(first), weights(again))
    monkeypatch.setattr(pretraining, "pretrain", lambda *_, **__: pytest.fail("made again"))
    for same in (QUICK, replace(QUICK, steps=99, consistency=1.0)):  # these come after the pretraining
        assert torch.equal(weights(pretrained(tmp_path, pool, same, seed=1)), weights(first))


def test_few_patients_are_pretrained_on_less_often_and_apart_from_many(
    small_project: Project, tmp_path: Path
) -> None:
    pool = Pool.open(small_project)  # of three patients
    as_many = replace(QUICK, varied=False)
    assert labels_alone(as_many, pool).steps == QUICK.pretraining
    assert labels_alone(QUICK, pool).steps < QUICK.pretraining
    few, many = (pretrained(tmp_path, pool, how, seed=1) for how in (QUICK, as_many))
    assert not torch.equal(weights(few), weights(many))
    assert len(list(tmp_path.glob("pretrained-*.safetensors"))) == 2


@pytest.mark.parametrize("varied", [True, False])
def test_contrast_is_bent_and_painting_varied_where_few_patients_are_known(
    small_project: Project, monkeypatch: pytest.MonkeyPatch, varied: bool
) -> None:
    paintings, bent = [], []
    drawn, augmented = PaintedSlicePairs.__init__, training.augment

    def paint(self, pool, neighbours=1, painting=None) -> None:
        paintings.append(painting)
        drawn(self, pool, neighbours, painting)

    def augment(stacks, masks, how, generator):
        bent.append(how.curves)
        return augmented(stacks, masks, how, generator)

    monkeypatch.setattr(PaintedSlicePairs, "__init__", paint)
    monkeypatch.setattr(training, "augment", augment)
    pool = Pool.open(small_project)
    lesson = replace(read_lesson(small_project, pool), masks={9: np.zeros(pool.pairs["p0"].grid_shape)})
    learn(lesson, replace(QUICK, varied=varied), seed=3)
    assert len(paintings) == 2  # to pretrain, and beside the labels
    assert all((painting.on_bright > 0) == varied for painting in paintings)
    assert all((curves > 0) == varied for curves in bent)


def test_without_pretraining_a_training_begins_at_random_weights(training_pool) -> None:
    assert start_of(None, training_pool, replace(QUICK, pretraining=0), seed=0) is None


def test_every_round_begins_at_the_pretrained_weights(small_project: Project) -> None:
    pool = Pool.open(small_project)
    lesson = replace(read_lesson(small_project, pool), masks={9: np.zeros(pool.pairs["p0"].grid_shape)})
    barely, shares = replace(QUICK, learning_rate=1e-9, average=0.0), []
    network = learn(lesson, barely, seed=3, progress=shares.append)
    kept = pretrained(small_project.folder / "models", pool, barely, seed=3)
    assert torch.allclose(weights(network), weights(kept), atol=1e-6)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
