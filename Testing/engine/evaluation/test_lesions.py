"""The rule of MSSEG-2, at and beside each of its limits, and against a plain reading of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from longitudinal_al.evaluation.lesions import count_lesions, label_lesions

MM = (1.0, 1.0, 1.0)


def line(*runs: tuple[int, int], length: int = 400) -> np.ndarray:
    """One row of voxels of 1 mm, True in each run [start, end)."""
    mask = np.zeros((1, 1, length), dtype=bool)
    for start, end in runs:
        mask[0, 0, start:end] = True
    return mask


REFERENCE = line((100, 200))


@pytest.mark.parametrize(("overlap", "detected"), [(10, False), (11, True)])
def test_overlap_must_exceed_10_percent(overlap: int, detected: bool) -> None:
    counts = count_lesions(line((100, 100 + overlap)), REFERENCE, MM)
    assert counts.reference_detected.tolist() == [detected]


@pytest.mark.parametrize(("outside", "detected"), [(70, True), (71, False)])
def test_prediction_may_lie_70_percent_outside(outside: int, detected: bool) -> None:
    counts = count_lesions(line((170, 200 + outside)), REFERENCE, MM)
    assert counts.reference_detected.tolist() == [detected]


@pytest.mark.parametrize(("first", "detected"), [(52, True), (51, False)])
def test_only_lesions_up_to_65_percent_of_the_overlap_are_tested(first: int, detected: bool) -> None:
    # 80 voxels of overlap; the second lesion lies 75 % or more outside, and is needed when the first covers
    # less than 52 of them.
    second = 80 - first
    prediction = line((100, 100 + first), (200 - second, 300))
    assert count_lesions(prediction, REFERENCE, MM).reference_detected.tolist() == [detected]


def test_a_blob_over_everything_detects_nothing() -> None:
    counts = count_lesions(line((0, 400)), line((10, 20), (300, 310)), MM)
    assert counts.sensitivity == 0.0
    assert counts.false_lesions == 1
    assert counts.false_volume_mm3 == 400


def test_precision_is_the_same_test_the_other_way_round() -> None:
    # The prediction lies inside the reference, which in turn lies 80 % outside the prediction: the reference
    # lesion is found, the predicted one is not confirmed.
    counts = count_lesions(line((100, 120)), REFERENCE, MM)
    assert (counts.sensitivity, counts.precision, counts.f1) == (1.0, 0.0, 0.0)
    counts = count_lesions(line((100, 130)), REFERENCE, MM)
    assert (counts.sensitivity, counts.precision, counts.f1) == (1.0, 1.0, 1.0)


def test_sensitivity_precision_and_f1_of_a_mixed_case() -> None:
    reference = line((0, 10), (20, 30), (40, 50), (60, 70))
    prediction = line((1, 11), (22, 30), (100, 110), (120, 125), (140, 143))
    counts = count_lesions(prediction, reference, (1.0, 1.0, 2.0))
    assert counts.sensitivity == 2 / 4
    assert counts.precision == 2 / 5
    assert counts.f1 == pytest.approx(2 * 0.5 * 0.4 / 0.9)
    assert counts.false_lesions == 3
    assert counts.false_volume_mm3 == pytest.approx((10 + 5 + 3) * 2.0)


def test_equal_overlaps_give_the_same_answer_mirrored() -> None:
    reference = line((100, 160))
    # Three overlaps of 10 voxels: two are needed to cover 65 %, and two of them lie inside.
    prediction = line((50, 110), (120, 130), (140, 150))
    for flip in (slice(None), slice(None, None, -1)):
        counts = count_lesions(prediction[..., flip], reference[..., flip], MM)
        assert counts.reference_detected.tolist() == [True]


@pytest.mark.parametrize(("voxels", "lesions"), [(3, 0), (4, 1)])
def test_a_lesion_is_larger_than_3_mm3(voxels: int, lesions: int) -> None:
    assert len(label_lesions(line((0, voxels)), MM)[1]) == lesions


@pytest.mark.parametrize(("voxels", "lesions"), [(12, 0), (13, 1)])
def test_3_mm3_with_spacing_from_a_header(voxels: int, lesions: int) -> None:
    # 0.7, 0.714286 and 0.5 mm in single precision make 0.25 mm3 and a bit.
    spacing = tuple(float(np.float32(size)) for size in (0.7, 0.25 / 0.35, 0.5))
    assert len(label_lesions(line((0, voxels)), spacing)[1]) == lesions


def test_small_components_are_taken_out_first() -> None:
    # Three voxels of the reference under the prediction are no lesion, and do not count as inside either.
    counts = count_lesions(line((100, 110)), line((100, 103)), MM)
    assert counts.sensitivity is None
    assert counts.predicted_detected.tolist() == [False]
    counts = count_lesions(line((100, 103), (150, 200)), REFERENCE, MM)
    assert len(counts.predicted_detected) == 1


def test_components_are_connected_by_faces_only() -> None:
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[:2, :2, :2] = mask[2:, 2:, :2] = True
    labels, sizes = label_lesions(mask, MM)
    assert sizes.tolist() == [8, 8]
    mask[1, 2, 0] = True
    assert label_lesions(mask, MM)[1].tolist() == [17]
    assert labels.max() == 2


def test_pairs_without_change_count_every_prediction_as_false() -> None:
    counts = count_lesions(line((0, 4), (10, 16)), line(), (2.0, 1.0, 0.5))
    assert (counts.sensitivity, counts.precision, counts.f1) == (None, 0.0, None)
    assert (counts.false_lesions, counts.false_volume_mm3) == (2, 10.0)


def test_missed_lesions_give_an_f1_of_zero_not_an_undefined_one() -> None:
    counts = count_lesions(line(), REFERENCE, MM)
    assert (counts.sensitivity, counts.precision, counts.f1) == (0.0, None, 0.0)
    assert (counts.false_lesions, counts.false_volume_mm3) == (0, 0.0)


def detected_by_reading_the_rule(mask: np.ndarray, other: np.ndarray, voxel_mm3: float) -> list[bool]:
    """Return which lesions of `mask` `other` detects, by loops over sets of voxels."""

    def lesions(volume: np.ndarray) -> list[set[tuple[int, ...]]]:
        labels, count = ndimage.label(volume)
        components = [set(map(tuple, np.argwhere(labels == k))) for k in range(1, count + 1)]
        return [component for component in components if len(component) * voxel_mm3 > 3]

    own, others = lesions(mask), lesions(other)
    everything = set().union(*own)
    answers = []
    for lesion in own:
        shares = [(len(lesion & o), -len(o - everything) / len(o), o) for o in others if lesion & o]
        shares.sort(key=lambda share: share[:2], reverse=True)
        total = sum(share for share, _, _ in shares)
        found, covered = total > 0.1 * len(lesion), 0
        for share, minus_outside, _ in shares:
            if covered / total >= 0.65:
                break
            covered += share
            found = found and -minus_outside <= 0.7
        answers.append(found)
    return answers


@settings(max_examples=150, deadline=None)
@given(arrays(bool, (2, 8, 8)), arrays(bool, (2, 8, 8)))
def test_agrees_with_a_plain_reading_of_the_rule(prediction: np.ndarray, reference: np.ndarray) -> None:
    counts = count_lesions(prediction, reference, MM)
    assert counts.reference_detected.tolist() == detected_by_reading_the_rule(reference, prediction, 1.0)
    assert counts.predicted_detected.tolist() == detected_by_reading_the_rule(prediction, reference, 1.0)


def test_agrees_with_a_plain_reading_on_scattered_blobs(generator: np.random.Generator) -> None:
    answers = set()
    for _ in range(20):
        noise = ndimage.gaussian_filter(generator.random((2, 4, 30, 30)), (0, 0.7, 1.5, 1.5))
        prediction, reference = noise > np.quantile(noise, 0.85)
        counts = count_lesions(prediction, reference, MM)
        expected = detected_by_reading_the_rule(reference, prediction, 1.0)
        assert counts.reference_detected.tolist() == expected
        answers.update(expected)
    assert answers == {True, False}


def test_specks_by_the_ten_thousand_need_little_memory(generator: np.random.Generator) -> None:
    prediction, reference = generator.random((2, 24, 200, 200)) < 0.05
    counts = count_lesions(prediction, reference, (4.0, 1.0, 1.0))
    assert len(counts.predicted_detected) > 10_000
    assert 0 < counts.f1 < 0.5
