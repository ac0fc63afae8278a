import numpy as np
import pytest

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.errors import InvalidInput


def line(count, patients=1, labelled=None):
    """Return ``count`` slices a patient, 1 mm apart, one pair each."""
    patient = np.repeat([f"p{number}" for number in range(patients)], count)
    slices = np.tile(np.arange(count), patients)
    return Candidates(
        patient, patient, slices, slices * 1.0, np.zeros(len(slices)), labelled=labelled or LabelledSlices()
    )


def test_slices_nearer_than_the_spacing_are_closed_and_others_stay_open():
    choice = Neighbours(5.0).start(line(20))
    choice.add(10)
    assert np.flatnonzero(choice.open).tolist() == [0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19]


def test_labelled_slices_close_their_neighbours_in_their_own_pair_only():
    labelled = LabelledSlices(["p0", "elsewhere"], ["p0", "p9"], [30, 3], [3.0, 3.0])
    choice = Neighbours(2.0).start(line(6, patients=2, labelled=labelled))
    assert np.flatnonzero(~choice.open).tolist() == [2, 3, 4]


def test_0_switches_it_off_but_a_labelled_slice_is_never_asked_for_again():
    labelled = LabelledSlices(["p0"], ["p0"], [3], [3.0])
    choice = Neighbours(0.0).start(line(6, labelled=labelled))
    assert np.flatnonzero(~choice.open).tolist() == [3]
    choice.add(1)
    assert np.flatnonzero(~choice.open).tolist() == [1, 3]


def test_off_by_default_and_bad_settings_are_refused():
    assert Neighbours() == Neighbours(0.0)
    for bad in ({"spacing_mm": -1.0}, {"spacing_mm": float("nan")}):
        with pytest.raises(InvalidInput):
            Neighbours(**bad)


def test_running_out_of_open_slices_gives_fewer():
    assert take_in_order(Neighbours(10.0).start(line(12)), range(12), 5) == [0, 10]
