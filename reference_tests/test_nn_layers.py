"""Every layer and loss: the same first weights, text, outputs, gradients, buffers and states as PyTorch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import minimal

from .module_cases import LAYERS, LOSSES, Layer, arrays, both, inputs_of

COMPONENT = "nn"
ALL = {**LAYERS, **LOSSES}


def tensors(call: list[np.ndarray]) -> tuple[list[Any], list[Any]]:
    """The inputs here and there; those that are not whole numbers need gradients."""
    ours = [minimal.tensor(array, requires_grad=array.dtype.kind == "f") for array in call]
    return ours, [torch.tensor(array, requires_grad=array.dtype.kind == "f") for array in call]


def backward(out: Any, library: Any, seed: int) -> None:
    """Send a random gradient back from the output."""
    if out.requires_grad:
        g = np.random.default_rng(seed + 100).standard_normal(tuple(out.shape)).astype(out.detach().numpy().dtype)
        out.backward(library.tensor(g))


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_parameters_and_buffers(name, engine, implementation, parity):
    ours, theirs = both(ALL[name].make, implementation("nn"), seed=5)
    mine, reference = arrays(ours.state_dict().items()), arrays(theirs.state_dict().items())
    assert list(mine) == list(reference)
    for key, value in mine.items():
        parity.identical(value, reference[key], what=f"first {key}", option=name)
    # The generator stands where PyTorch's stands: what comes next is the same too.
    parity.identical(minimal.rand(3).numpy(), torch.rand(3).numpy(), what="what is drawn next", option=name)


@pytest.mark.parametrize("name", ALL)
def test_the_text_is_the_same(name, implementation):
    ours, theirs = both(ALL[name].make, implementation("nn"))
    assert repr(ours) == repr(theirs)


def check_calls(layer: Layer, name: str, nn: Any, parity: Any, *, training: bool) -> None:
    """Each call twice, so that running statistics move on."""
    ours, theirs = both(layer.make, nn, seed=1)
    ours, theirs = ours.double().train(training), theirs.double().train(training)
    for step, call in enumerate(2 * inputs_of(layer)):
        mine, reference = tensors(call)
        minimal.manual_seed(step)
        out = ours(*mine)
        torch.manual_seed(step)
        expected = theirs(*reference)
        backward(out, minimal, step)
        backward(expected, torch, step)
        what = f"{'training' if training else 'evaluation'} of {name}"
        claim = {"bound": layer.bound, "reason": layer.reason}
        parity.rounding(out.detach().numpy(), expected.detach().numpy(), what=f"{what}: output", **claim)
        for a, b in zip([*mine, *ours.parameters()], [*reference, *theirs.parameters()]):
            assert (a.grad is None) == (b.grad is None)
            if b.grad is not None:
                parity.rounding(a.grad.numpy(), b.grad.numpy(), what=f"{what}: gradient", **claim)
        for key, buffer in arrays(ours.named_buffers()).items():
            parity.rounding(buffer, theirs.get_buffer(key).numpy(), what=f"{what}: {key}", **claim)


@pytest.mark.parametrize("name", ALL)
def test_training_gives_the_same_outputs_gradients_and_buffers(name, engine, implementation, parity):
    check_calls(ALL[name], name, implementation("nn"), parity, training=True)


@pytest.mark.parametrize("name", LAYERS)
def test_evaluation_gives_the_same_outputs_and_gradients(name, engine, implementation, parity):
    check_calls(ALL[name], name, implementation("nn"), parity, training=False)


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.draws])
def test_a_seed_drops_the_same_numbers_in_single_precision(name, engine, implementation, parity):
    ours, theirs = both(LAYERS[name].make, implementation("nn"), seed=2)
    for call in inputs_of(LAYERS[name], dtype="float32"):
        minimal.manual_seed(3)
        mine = ours(minimal.tensor(call[0])).detach().numpy()
        torch.manual_seed(3)
        reference = theirs(torch.tensor(call[0])).detach().numpy()
        if name != "Sequential":
            parity.identical(mine, reference, what="what dropout leaves", option=name)
        np.testing.assert_array_equal(mine == 0, reference == 0)


@pytest.mark.parametrize("name", ALL)
def test_a_copy_and_a_pickle_compute_what_the_original_computes(name, implementation):
    layer = ALL[name]
    minimal.manual_seed(0)
    module = layer.make(implementation("nn")).double().eval()
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(again) == repr(module)
        for (key, a), (other, b) in zip(module.state_dict().items(), again.state_dict().items()):
            assert key == other
            assert not np.shares_memory(a.numpy(), b.numpy())
        for call in inputs_of(layer):
            np.testing.assert_array_equal(
                again(*map(minimal.tensor, call)).detach().numpy(), module(*map(minimal.tensor, call)).detach().numpy()
            )


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda nn: nn.BatchNorm1d(3), (2, 3, 4, 5)),
        (lambda nn: nn.BatchNorm2d(3), (2, 3)),
        (lambda nn: nn.BatchNorm1d(3), (1, 3)),
        (lambda nn: nn.Linear(3, 2), (4, 5)),
        (lambda nn: nn.Conv2d(3, 2, 3), (2, 4, 8, 8)),
        (lambda nn: nn.Conv2d(3, 2, 3), (3, 2)),
        (lambda nn: nn.Conv2d(3, 2, 5), (2, 3, 4, 4)),
        (lambda nn: nn.Conv1d(3, 2, 3), (2, 3, 4, 4)),
        (lambda nn: nn.ConvTranspose2d(3, 2, 3), (2, 2, 4, 4)),
        (lambda nn: nn.MaxPool2d(3), (2, 1, 2, 2)),
        (lambda nn: nn.MaxPool2d(2, padding=2), (2, 1, 4, 4)),
        (lambda nn: nn.AvgPool2d(3), (1, 2, 2)),
        (lambda nn: nn.LayerNorm(4), (2, 3)),
        (lambda nn: nn.GroupNorm(2, 4), (2, 6)),
        (lambda nn: nn.Softmax2d(), (2, 3)),
        (lambda nn: nn.Dropout1d(), (2, 3, 4, 4)),
        (lambda nn: nn.Embedding(3, 2), (2, 2)),
        (lambda nn: nn.PReLU(3), (2, 4)),
        (lambda nn: nn.Unflatten(1, (2, 3)), (2, 7)),
        (lambda nn: nn.Flatten(2, 1), (2, 3, 4)),
        (lambda nn: nn.GLU(), (2, 3)),
        (lambda nn: nn.Softmax(dim=2), (2, 3)),
    ],
)
def test_input_of_a_wrong_shape_or_dtype_raises_what_pytorch_raises(make, shape, implementation):
    ours, theirs = both(make, implementation("nn"))
    with pytest.raises(Exception) as expected:  # noqa: PT011 - the kind is what is compared
        theirs(torch.ones(shape))
    with pytest.raises(type(expected.value)) as error:
        ours(minimal.ones(*shape))
    assert str(error.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Conv2d(3, 4, 3, groups=2),
        lambda nn: nn.Conv2d(4, 3, 3, groups=2),
        lambda nn: nn.Conv2d(4, 4, 3, groups=0),
        lambda nn: nn.Conv2d(4, 4, 3, padding="full"),
        lambda nn: nn.Conv2d(4, 4, 3, stride=2, padding="same"),
        lambda nn: nn.Conv2d(4, 4, 3, padding_mode="mirror"),
        lambda nn: nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect"),
        lambda nn: nn.Bilinear(0, 1, 1),
        lambda nn: nn.GroupNorm(2, 3),
        lambda nn: nn.Dropout(1.5),
        lambda nn: nn.Dropout2d(-0.1),
        lambda nn: nn.Embedding(3, 2, padding_idx=3),
        lambda nn: nn.Embedding(3, 2, padding_idx=-4),
        lambda nn: nn.Unflatten(1, (2, 3.0)),
        lambda nn: nn.Unflatten(1, 3),
        lambda nn: nn.Linear(3),
        lambda nn: nn.Linear(3, 2, device="cuda:7"),
    ],
)
def test_wrong_options_raise_what_pytorch_raises(make, implementation):
    with pytest.raises(Exception) as expected:  # noqa: PT011 - the kind is what is compared
        make(torch.nn)
    kind = RuntimeError if isinstance(expected.value, RuntimeError) else type(expected.value)
    if "CUDA" in str(expected.value):
        kind = RuntimeError  # PyTorch without CUDA raises an AssertionError for a device that it does not have
    with pytest.raises(kind) as error:
        make(implementation("nn"))
    assert str(error.value)


def test_transposed_convolutions_reach_the_size_asked_for(implementation):
    ours, theirs = both(lambda nn: nn.ConvTranspose2d(1, 1, 3, stride=3, padding=1), implementation("nn"))
    x = np.random.default_rng(0).standard_normal((1, 1, 3, 3)).astype(np.float32)
    for size in ([8, 9], [1, 1, 9, 7]):
        out = ours(minimal.tensor(x), output_size=size)
        expected = theirs(torch.tensor(x), output_size=size)
        assert out.shape == tuple(expected.shape)
        np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    for size in ([6, 7], [10, 9], [9]):
        with pytest.raises(ValueError, match="output"):
            ours(minimal.tensor(x), output_size=size)


def test_batch_normalization_without_statistics_normalizes_by_the_batch_in_evaluation(implementation):
    nn = implementation("nn")
    module = nn.BatchNorm1d(2, track_running_stats=False).eval()
    out = module(minimal.tensor([[1.0, 0.0], [3.0, 4.0]])).detach().numpy()
    np.testing.assert_allclose(out, [[-1, -1], [1, 1]], atol=1e-4)
    assert list(module.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("options", [{}, {"padding_idx": -2}, {"max_norm": 1.0}, {"max_norm": 0.5, "norm_type": 1.0}])
def test_embeddings(options, engine, implementation, parity):
    ours, theirs = both(lambda nn: nn.Embedding(5, 3, **options), implementation("nn"), seed=4)
    assert repr(ours) == repr(theirs)
    assert ours.padding_idx == theirs.padding_idx
    index = np.array([[0, 3, 3], [4, 0, 3]])
    for step in range(2):
        out, expected = ours(minimal.tensor(index)), theirs(torch.tensor(index))
        backward(out, minimal, step)
        backward(expected, torch, step)
    parity.rounding(
        out.detach().numpy(), expected.detach().numpy(), what="embedded", bound=1e-6, reason="float32 norms"
    )
    parity.rounding(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), what="table", bound=1e-6)
    parity.rounding(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), what="gradient of the table", bound=1e-6)


def test_pretrained_embeddings_stay_as_they_are(implementation):
    nn = implementation("nn")
    table = minimal.tensor([[1.0, 2.0], [3.0, 4.0]])
    module = nn.Embedding.from_pretrained(table)
    assert not module.weight.requires_grad
    assert module(minimal.tensor([1])).tolist() == [[3.0, 4.0]]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.Embedding.from_pretrained(minimal.tensor([1.0]))
    with pytest.raises(IndexError):
        module(minimal.tensor([2]))


def test_inplace_layers_change_their_input(implementation):
    nn = implementation("nn")
    for layer in (nn.ReLU(inplace=True), nn.LeakyReLU(0.5, inplace=True), nn.Hardtanh(0.0, 5.0, inplace=True)):
        x = minimal.tensor([-2.0, 3.0])
        out = layer(x)
        assert out is x
        assert x.tolist() == pytest.approx([-1.0 if isinstance(layer, nn.LeakyReLU) else 0.0, 3.0])


def test_old_names_of_reductions_are_understood_with_a_warning(implementation):
    nn = implementation("nn")
    for old, new in (({"reduce": False}, "none"), ({"size_average": False}, "sum"), ({"size_average": True}, "mean")):
        with pytest.warns(UserWarning, match="will be deprecated"):
            assert nn.MSELoss(**old).reduction == new
