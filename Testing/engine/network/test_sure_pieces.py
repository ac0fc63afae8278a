import numpy as np

from longitudinal_al.network.sure_pieces import sure_pieces


def test_a_piece_counts_whole_when_it_is_sure_somewhere():
    probability = np.zeros((3, 8, 8), np.float32)
    probability[0, 1:3, 1:3] = 0.6
    probability[1, 1, 1] = 0.97  # makes the piece in the slice before it count too
    probability[2, 5:7, 5:7] = 0.94  # nowhere sure
    probability[0, 1, 3] = 0.49
    mask = sure_pieces(probability)
    assert mask[:2].sum() == 5 and mask[1, 1, 1]
    assert not mask[2].any() and not mask[0, 1, 3]


def test_pieces_that_touch_at_a_corner_alone_are_two():
    probability = np.zeros((1, 4, 4))
    probability[0, 0, 0], probability[0, 1, 1] = 0.95, 0.949
    assert sure_pieces(probability).sum() == 1


def test_nothing_and_everything():
    assert not sure_pieces(np.zeros((2, 3, 4))).any()
    assert sure_pieces(np.ones((2, 3, 4))).all()
