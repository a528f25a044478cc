"""What the races against PyTorch share: the images, and a proof of equal training that can fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minimal
from benchmarks.cases_cnn import inference_race, training_race
from benchmarks.frame import Disagreement
from benchmarks.networks import batches, digits, from_seed, large_digits, same_tensors, same_training, small_network


def test_enlarged_digits_have_a_margin_and_the_same_strokes():
    images, y = large_digits()
    assert images.shape == (1797, 1, 28, 28)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0.0, pytest.approx(1.0, abs=0.05))
    assert not images[..., [0, -1], :].any()
    assert not images[..., [0, -1]].any()
    np.testing.assert_array_equal(y, digits()[1])
    small, large = (a.reshape(len(a), -1).mean(1) for a in (digits()[0], images))
    assert np.corrcoef(small, large)[0, 1] > 0.99


def test_batches_begin_again_where_the_images_end():
    images, y = np.arange(5.0).reshape(5, 1, 1, 1), np.arange(5)
    found = [classes.tolist() for _, classes in batches(minimal, images, y, size=2, n=4)]
    assert found == [[0, 1], [2, 3], [4, 0], [1, 2]]


@pytest.mark.parametrize("options", [{"fused": True}, {"fused": False, "tuned": True}], ids=str)
def test_a_training_race_agrees_and_begins_anew_at_each_call(options, engine):
    race = training_race(small_network, digits(), 8, 3, **options)
    first, second = (race.ours(race.setup()) for _ in range(2))
    race.agree(first, race.theirs(race.setup()))
    assert first[0] == second[0]
    assert first[0][0] != first[0][2]


def test_a_training_race_refuses_another_loss_another_parameter_and_another_network():
    models = [from_seed(lib, small_network) for lib in (minimal, torch)]
    agree = same_training(losses=1e-5, parameters=1e-2)
    agree(([1.0, 2.0], models[0]), ([1.0, 2.0], models[1]))
    with pytest.raises(Disagreement, match="losses differs"):
        agree(([1.0, 2.0], models[0]), ([1.0, 2.001], models[1]))
    with pytest.raises(Disagreement, match="losses: shapes differ"):
        agree(([1.0], models[0]), ([1.0, 2.0], models[1]))
    with torch.no_grad():
        models[1][3].bias[0] += 0.1
    with pytest.raises(Disagreement, match=r"3\.bias differs"):
        agree(([1.0], models[0]), ([1.0], models[1]))
    with pytest.raises(ValueError, match="zip"):
        agree(([1.0], models[0]), ([1.0], models[1][:3]))


def test_an_inference_race_compares_the_outputs(engine):
    race = inference_race(small_network, digits()[0][:3])
    ours, theirs = race.ours(), race.theirs()
    race.agree(ours, theirs)
    with pytest.raises(Disagreement, match="result 0 differs"):
        race.agree(ours, theirs + 0.01)


def test_tensors_are_compared_wherever_they_stand():
    ours, theirs = minimal.tensor([1.0, 2.0]).requires_grad_(), torch.tensor([1.0, 2.0])
    assert str(same_tensors()((ours, [ours]), (theirs, [theirs]))) == "identical"
    with pytest.raises(Disagreement, match="2 results, theirs 1"):
        same_tensors()([ours, ours], theirs)
    with pytest.raises(Disagreement, match="result 1 is not identical"):
        same_tensors()([ours, ours], [theirs, theirs + 1])
