"""Labels: what is painted is what is read, on every slice of every geometry."""

from __future__ import annotations

import numpy as np
import pytest
from host import slicer, vtk
from scene_pairs import GEOMETRIES
from strokes import Painter, stroke

from longitudinal_al.errors import GeometryMismatch, InvalidInput, NotReady


@pytest.mark.parametrize("name", GEOMETRIES)
def test_random_strokes_are_read_back_pixel_by_pixel(host, scene, openPair, name):
    pair = openPair(name)
    painter, generator = Painter(host, pair), np.random.default_rng(11)
    expected = {k: np.zeros(pair.grid.sliceShape, np.uint8) for k in range(pair.grid.slices)}
    for number in range(6):
        k = int(generator.integers(pair.grid.slices))
        scene.jump(k)
        mask = stroke(pair.grid.sliceShape, generator)
        erase = number % 4 == 3
        painter.paint(k, mask, erase=erase)
        expected[k][mask] = 0 if erase else 1
        for slice_, label in expected.items():
            np.testing.assert_array_equal(
                scene.readSliceLabel(slice_), label, err_msg=f"slice {slice_} of {name}"
            )


@pytest.mark.parametrize("name", GEOMETRIES)
def test_written_labels_are_read_back_and_leave_their_neighbours(scene, openPair, name):
    pair = openPair(name, classes=("new or enlarging", "shrinking or vanished"))
    generator = np.random.default_rng(3)
    labels = {k: generator.integers(0, 3, pair.grid.sliceShape).astype(np.uint8) for k in (4, 5, 6)}
    labels[5][:] *= generator.random(pair.grid.sliceShape) < 0.05
    for k in (4, 6, 5, 4):
        scene.writeSliceLabel(k, labels[k])
    for k in range(pair.grid.slices):
        np.testing.assert_array_equal(scene.readSliceLabel(k), labels.get(k, np.zeros_like(labels[4])))
    scene.writeSliceLabel(5, np.zeros_like(labels[5]))
    assert not scene.readSliceLabel(5).any()
    np.testing.assert_array_equal(scene.readSliceLabel(4), labels[4])
    np.testing.assert_array_equal(scene.readSliceLabel(6), labels[6])


def test_slicers_own_reading_agrees(host, scene, openPair):
    pair = openPair("oblique")
    mask = stroke(pair.grid.sliceShape, np.random.default_rng(5))
    Painter(host, pair).paint(7, mask)
    whole = slicer.util.arrayFromSegmentBinaryLabelmap(pair.segmentation, scene.segmentId(), pair.followup)
    np.testing.assert_array_equal(whole[7], scene.readSliceLabel(7))
    assert whole.sum() == mask.sum()


def test_strokes_wait_to_be_saved_until_they_are(host, scene, openPair):
    pair = openPair()
    painter, generator = Painter(host, pair), np.random.default_rng(1)
    assert scene.sliceLabelsPainted() == []
    for k in (3, 8):
        scene.jump(k)
        painter.paint(k, stroke(pair.grid.sliceShape, generator) | np.eye(*pair.grid.sliceShape, dtype=bool))
    assert scene.sliceLabelsPainted() == [3, 8]
    scene.markSaved(3)
    assert scene.sliceLabelsPainted() == [8]
    painter.paint(3, np.ones(pair.grid.sliceShape, bool), erase=True)
    assert scene.sliceLabelsPainted() == [3, 8]
    scene.writeSliceLabel(8, np.zeros(pair.grid.sliceShape, np.uint8))
    assert scene.sliceLabelsPainted() == [3]


def test_what_no_one_has_seen_is_no_label(host, scene, openPair):
    pair = openPair()
    scene.jump(4)
    painter = Painter(host, pair)
    for k in (4, 9):
        painter.paint(k, np.eye(*pair.grid.sliceShape, dtype=bool))
    assert scene.sliceLabelsPainted() == [4]


def test_scrolling_by_the_users_own_hand_counts_as_seen(host, scene, openPair):
    pair = openPair("oblique")
    node = host.sliceNode("LongitudinalALFollowUp")
    scene.jump(2)
    step = pair.grid.spacing[pair.grid.axis]
    before = node.GetSliceOffset()
    node.SetSliceOffset(before + step)
    assert scene.shownSlice() in (1, 3)
    assert {scene.shownSlice(), 2} <= pair.shownSlices


def test_a_renamed_segment_is_the_same_segment(host, scene, openPair):
    pair = openPair()
    mask = np.eye(*pair.grid.sliceShape, dtype=bool)
    Painter(host, pair).paint(2, mask)
    pair.segmentation.GetSegmentation().GetSegment(scene.segmentId()).SetName("my lesions")
    np.testing.assert_array_equal(scene.readSliceLabel(2), mask)


def test_a_deleted_segment_is_named_and_can_be_made_again(host, scene, openPair):
    pair = openPair()
    pair.segmentation.GetSegmentation().RemoveSegment(scene.segmentId())
    with pytest.raises(NotReady, match="segment of 'change' was deleted"):
        scene.readSliceLabel(2)
    scene.openPair(pair.folder, pair.grid.axis)
    assert not scene.readSliceLabel(2).any()


def test_a_second_segment_is_refused_on_the_slices_it_is_painted_on(host, scene, openPair):
    pair = openPair()
    id_ = pair.segmentation.GetSegmentation().AddEmptySegment("", "Segment_2")
    painter, mask = Painter(host, pair), np.eye(*pair.grid.sliceShape, dtype=bool)
    painter.paint(3, mask)
    painter.paint(5, mask, id_)
    np.testing.assert_array_equal(scene.readSliceLabel(3), mask)
    with pytest.raises(InvalidInput, match="40 pixels were painted in the segment 'Segment_2'"):
        scene.readSliceLabel(5)


def test_overlapping_classes_are_refused(host, scene, openPair):
    pair = openPair(classes=("new", "gone"))
    painter, mask = Painter(host, pair), np.eye(*pair.grid.sliceShape, dtype=bool)
    painter.node.SetOverwriteMode(painter.node.OverwriteNone)
    for number in (1, 2):
        painter.paint(5, mask, scene.segmentId(number))
    with pytest.raises(InvalidInput, match="belong to 'gone' and to another class"):
        scene.readSliceLabel(5)


def test_oversampling_is_refused(scene, openPair):
    pair = openPair()
    pair.segmentation.GetSegmentation().SetConversionParameter("Oversampling factor", "2")
    with pytest.raises(GeometryMismatch, match="oversampling is 2"):
        scene.readSliceLabel(2)
    with pytest.raises(GeometryMismatch, match="oversampling is 2"):
        scene.writeSliceLabel(2, np.zeros(pair.grid.sliceShape, np.uint8))


def test_a_labelmap_on_a_finer_grid_is_refused(host, scene, openPair):
    pair = openPair()
    scene.writeSliceLabel(2, np.eye(*pair.grid.sliceShape, dtype=np.uint8))
    image = (
        pair.segmentation.GetSegmentation().GetSegment(scene.segmentId()).GetRepresentation("Binary labelmap")
    )
    image.SetSpacing([value / 2 for value in image.GetSpacing()])
    with pytest.raises(GeometryMismatch, match="voxels of another size"):
        scene.readSliceLabel(2)


def test_another_geometry_of_the_segmentation_is_refused(host, scene, openPair):
    pair = openPair()
    other = slicer.util.addVolumeFromArray(np.zeros((20, 20, 20), np.float32), name="Other")
    pair.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(other)
    with pytest.raises(GeometryMismatch, match="geometry of the labels"):
        scene.readSliceLabel(2)
    scene.openPair(pair.folder, pair.grid.axis)
    assert not scene.readSliceLabel(2).any()


def test_a_moved_followup_is_refused(scene, openPair):
    pair = openPair()
    pair.followup.SetOrigin(1.0, 2.0, 3.0)
    with pytest.raises(GeometryMismatch, match="follow-up in the scene"):
        scene.readSliceLabel(2)


def test_labels_and_followup_under_different_transforms_are_refused(host, scene, openPair):
    from conftest import someTransform

    pair = openPair()
    pair.followup.SetAndObserveTransformNodeID(someTransform(host.scene).GetID())
    with pytest.raises(GeometryMismatch, match="'Somewhere else', its labels under 'none'"):
        scene.readSliceLabel(2)


@pytest.mark.parametrize(("k", "match"), [(-1, "no slice -1"), (12, "slices 0 to 11")])
def test_a_slice_that_is_not_there_is_refused(scene, openPair, k, match):
    openPair()
    with pytest.raises(InvalidInput, match=match):
        scene.readSliceLabel(k)


def test_a_label_of_another_shape_or_class_is_refused(scene, openPair):
    pair = openPair()
    with pytest.raises(GeometryMismatch, match=r"label has \(40, 48\) pixels"):
        scene.writeSliceLabel(2, np.zeros(pair.grid.sliceShape[::-1], np.uint8))
    with pytest.raises(InvalidInput, match="class 2, the project has 1"):
        scene.writeSliceLabel(2, np.full(pair.grid.sliceShape, 2, np.uint8))


def test_a_label_survives_the_followup_being_deleted(host, scene, openPair):
    pair = openPair()
    mask = np.eye(*pair.grid.sliceShape, dtype=bool)
    Painter(host, pair).paint(6, mask)
    host.scene.RemoveNode(pair.followup)
    np.testing.assert_array_equal(scene.readSliceLabel(6), mask)
    with pytest.raises(
        NotReady, match="follow-up of pair 'pair1' is no longer in the scene: open the pair again"
    ):
        scene.show(pair)
    again = scene.openPair(pair.folder, pair.grid.axis)
    assert again is pair
    scene.show(pair, 6)
    np.testing.assert_array_equal(scene.readSliceLabel(6), mask)


def test_a_deleted_segmentation_is_named_and_comes_back_with_its_strokes(host, scene, openPair):
    pair = openPair()
    mask = np.eye(*pair.grid.sliceShape, dtype=bool)
    Painter(host, pair).paint(6, mask)
    host.scene.RemoveNode(pair.segmentation)
    with pytest.raises(NotReady, match="labels of pair 'pair1' is no longer"):
        scene.readSliceLabel(6)
    scene.openPair(pair.folder, pair.grid.axis)
    np.testing.assert_array_equal(scene.readSliceLabel(6), mask)
    assert scene.sliceLabelsPainted() == [6]


def test_every_segment_carries_the_standard_term_of_a_lesion(host, scene, openPair):
    """Scene and exports name the same standard term, which Slicer reads."""
    pair = openPair(classes=("new", "gone"))
    tag = slicer.vtkSegment.GetTerminologyEntryTagName()
    scene.showResults([], np.zeros(pair.grid.shape, np.uint8))
    results = slicer.util.getFirstNodeByName("Predicted changes pair1")
    for node in (pair.segmentation, results):
        for number in range(2):
            value = vtk.reference("")
            assert node.GetSegmentation().GetNthSegment(number).GetTag(tag, value)
            entry = slicer.vtkSlicerTerminologyEntry()
            assert host.logic("terminologies").DeserializeTerminologyEntry(str(value), entry)
            category, kind = entry.GetCategoryObject(), entry.GetTypeObject()
            assert (category.GetCodingSchemeDesignator(), category.GetCodeValue()) == ("SCT", "49755003")
            assert (kind.GetCodeValue(), kind.GetCodeMeaning()) == ("52988006", "Lesion")
