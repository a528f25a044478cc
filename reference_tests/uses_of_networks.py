"""A short use of every public name that stands beside PyTorch: what ``test_independence`` tries without any library."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import minimal
from minimal import nn

IMAGES = (2, 4, 6, 6)
ROWS = (3, 4)
SERIES = (2, 4, 6)

# ---------------------------------------------------------------- modules: arguments, and the shape of what goes in

MODULES = {
    "AdaptiveAvgPool1d": ((2,), SERIES),
    "AdaptiveAvgPool2d": ((2,), IMAGES),
    "AvgPool1d": ((2,), SERIES),
    "AvgPool2d": ((2,), IMAGES),
    "BatchNorm1d": ((4,), ROWS),
    "BatchNorm2d": ((4,), IMAGES),
    "Conv1d": ((4, 2, 3), SERIES),
    "Conv2d": ((4, 2, 3), IMAGES),
    "ConvTranspose1d": ((4, 2, 3), SERIES),
    "ConvTranspose2d": ((4, 2, 3), IMAGES),
    "Dropout1d": ((), SERIES),
    "Dropout2d": ((), IMAGES),
    "Flatten": ((), IMAGES),
    "GroupNorm": ((2, 4), IMAGES),
    "LayerNorm": ((4,), ROWS),
    "Linear": ((4, 2), ROWS),
    "LogSoftmax": ((1,), ROWS),
    "MaxPool1d": ((2,), SERIES),
    "MaxPool2d": ((2,), IMAGES),
    "Softmax": ((1,), ROWS),
    "Softmax2d": ((), IMAGES),
    "Softmin": ((1,), ROWS),
    "Threshold": ((0.1, 0.0), ROWS),
    "Unflatten": ((1, (2, 2)), ROWS),
}
PLAIN_MODULES = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Dropout",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
]
LOSSES = ["BCEWithLogitsLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "SmoothL1Loss"]


def _module(arguments, shape):
    def use(Module):
        x = minimal.rand(*shape, requires_grad=True)
        Module(*arguments)(x).sum().backward()
        assert x.grad.shape == shape

    return use


def _loss(Loss):
    x = minimal.rand(3, 4, requires_grad=True)
    Loss(reduction="sum")(x, minimal.rand(3, 4)).backward()
    assert np.isfinite(x.grad.array).all()


def _class_loss(Loss):
    x = minimal.rand(3, 4, requires_grad=True)
    Loss()(x, minimal.tensor([0, 3, 1])).backward()
    assert x.grad.shape == (3, 4)


def _train(Trainer):
    model = nn.Linear(2, 1)
    data = [(minimal.rand(4, 2), minimal.rand(4, 1))]
    Trainer(model, minimal.optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), progress=False).fit(data, epochs=2)


def _classify(CNNClassifier):
    X = np.random.default_rng(0).random((8, 16))
    model = CNNClassifier(channels=(2,), hidden=4, epochs=1).fit(X, list("abababab"))
    assert set(model.predict(X)) <= {"a", "b"}


def _gradients(tensor):
    (tensor * tensor).sum().backward()
    return tensor.grad


def _grad(grad):
    x = minimal.ones(2, requires_grad=True)
    (first,) = grad((x**3).sum(), x, create_graph=True)
    assert grad(first.sum(), x)[0].tolist() == [6.0, 6.0]


def _cube(Function):
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    x = minimal.ones(2, requires_grad=True)
    Cube.apply(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def _block(block):
    with block():
        return minimal.ones(2, requires_grad=True) * 2


def _set_grad_enabled(set_grad_enabled):
    with set_grad_enabled(False):
        assert not minimal.is_grad_enabled()


def _check(check):
    x = minimal.tensor([0.3, 1.2], dtype=minimal.float64, requires_grad=True)
    assert check(minimal.exp, (x,))


def _save(save):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        save({"a": minimal.ones(2), "n": 3}, path)
        assert minimal.load(path)["n"] == 3


def _optimize(**options):
    def use(Optimizer):
        p = nn.Parameter(minimal.ones(3))
        optimizer = Optimizer([p], **options)
        for _ in range(2):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        assert p[0].item() < 1.0
        assert optimizer.state_dict()["param_groups"]

    return use


def _schedule(*arguments, **options):
    def use(Scheduler):
        optimizer = minimal.optim.SGD([nn.Parameter(minimal.ones(1))], lr=1.0)
        scheduler = Scheduler(optimizer, *[a(optimizer) if a is _parts else a for a in arguments], **options)
        optimizer.step()
        scheduler.step(*([1.0] if "Plateau" in Scheduler.__name__ else []))

    return use


def _half(epoch):
    return 0.5**epoch


def _parts(optimizer):
    schedule = minimal.optim.lr_scheduler
    return [schedule.StepLR(optimizer, 1), schedule.ExponentialLR(optimizer, 0.9)]


def _own_dataset(Dataset):
    class Squares(Dataset):
        def __getitem__(self, i):
            return i * i

        def __len__(self):
            return 4

    assert [Squares()[i] for i in range(4)] == [0, 1, 4, 9]


def _own_stream(IterableDataset):
    class Counting(IterableDataset):
        def __iter__(self):
            return iter(range(5))

    assert [len(b) for b in minimal.utils.data.DataLoader(Counting(), batch_size=2)] == [2, 2, 1]


def _module_subclass(Module):
    class Twice(Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(minimal.tensor([2.0]))

        def forward(self, x):
            return self.scale * x

    model = Twice()
    model(minimal.ones(1)).backward()
    assert model.state_dict()["scale"].item() == 2.0
    assert "Twice" in repr(model)


DATA = minimal.utils.data.TensorDataset(minimal.arange(6), minimal.rand(6))
G = minimal.Generator().manual_seed(0)

USES = {
    "minimal.Generator": lambda Generator: Generator().manual_seed(1),
    "minimal.Tensor": lambda Tensor: Tensor([1.0, 2.0]).sum(),
    "minimal.arange": lambda arange: arange(3),
    "minimal.as_tensor": lambda as_tensor: as_tensor([1, 2]),
    "minimal.enable_grad": _block,
    "minimal.from_numpy": lambda from_numpy: from_numpy(np.ones(2)),
    "minimal.get_default_dtype": lambda get: get(),
    "minimal.inference_mode": _block,
    "minimal.is_grad_enabled": lambda ask: ask(),
    "minimal.load": lambda load: _save(minimal.save),
    "minimal.manual_seed": lambda seed: seed(0),
    "minimal.no_grad": _block,
    "minimal.ones": lambda ones: _gradients(ones(2, requires_grad=True)),
    "minimal.rand": lambda rand: rand(2),
    "minimal.randint": lambda randint: randint(5, (2,)),
    "minimal.randn": lambda randn: randn(20),
    "minimal.randperm": lambda randperm: randperm(5),
    "minimal.save": _save,
    "minimal.set_default_dtype": lambda set_: set_(minimal.float32),
    "minimal.set_grad_enabled": _set_grad_enabled,
    "minimal.tensor": lambda tensor: _gradients(tensor([1.0, 2.0], requires_grad=True)),
    "minimal.zeros": lambda zeros: zeros(2, 3),
    "minimal.autograd.Function": _cube,
    "minimal.autograd.Tensor": lambda Tensor: Tensor([1.0]) + 1,
    "minimal.autograd.backward": lambda backward: backward(minimal.ones(1, requires_grad=True) * 2),
    "minimal.autograd.creation": lambda creation: creation.eye(2),
    "minimal.autograd.draw": lambda draw: draw(minimal.ones(1, requires_grad=True) * 2),
    "minimal.autograd.enable_grad": _block,
    "minimal.autograd.function": lambda function: _cube(function.Function),
    "minimal.autograd.functions": lambda functions: functions.exp(minimal.ones(1)),
    "minimal.autograd.grad": _grad,
    "minimal.autograd.gradcheck": _check,
    "minimal.autograd.gradgradcheck": _check,
    "minimal.autograd.inference_mode": _block,
    "minimal.autograd.is_grad_enabled": lambda ask: ask(),
    "minimal.autograd.no_grad": _block,
    "minimal.autograd.set_grad_enabled": _set_grad_enabled,
    "minimal.nn.BCELoss": _loss,
    "minimal.nn.Bilinear": lambda Bilinear: Bilinear(2, 3, 4)(minimal.rand(5, 2), minimal.rand(5, 3)),
    "minimal.nn.CNNClassifier": _classify,
    "minimal.nn.CrossEntropyLoss": _class_loss,
    "minimal.nn.Embedding": lambda Embedding: Embedding(5, 2)(minimal.tensor([1, 4])).sum().backward(),
    "minimal.nn.Module": _module_subclass,
    "minimal.nn.ModuleDict": lambda ModuleDict: ModuleDict({"a": nn.Linear(1, 1)})["a"],
    "minimal.nn.ModuleList": lambda ModuleList: ModuleList([nn.Linear(1, 1)])[0],
    "minimal.nn.NLLLoss": _class_loss,
    "minimal.nn.Parameter": lambda Parameter: _gradients(Parameter(minimal.ones(2))),
    "minimal.nn.ParameterList": lambda ParameterList: ParameterList([minimal.ones(1)])[0],
    "minimal.nn.Sequential": lambda Sequential: Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))(
        minimal.rand(1, 1, 6, 6)
    ),
    "minimal.nn.Trainer": _train,
    "minimal.nn.accuracy": lambda accuracy: accuracy(minimal.rand(3, 2), minimal.tensor([0, 1, 1])),
    "minimal.nn.functional": lambda functional: functional.relu(minimal.ones(1)),
    "minimal.nn.fusion": lambda fusion: fusion(False).__enter__(),
    "minimal.nn.init": lambda init: init.ones_(minimal.zeros(2)),
    "minimal.nn.set_fusion": lambda set_fusion: set_fusion(True),
    "minimal.nn.utils": lambda utils: utils.parameters_to_vector([minimal.ones(2)]),
    "minimal.optim.Adagrad": _optimize(lr=0.1),
    "minimal.optim.Adam": _optimize(amsgrad=True),
    "minimal.optim.AdamW": _optimize(),
    "minimal.optim.Optimizer": lambda Optimizer: issubclass(minimal.optim.SGD, Optimizer),
    "minimal.optim.RMSprop": _optimize(momentum=0.5, centered=True),
    "minimal.optim.SGD": _optimize(lr=0.1, momentum=0.9, nesterov=True),
    "minimal.optim.lr_scheduler.CosineAnnealingLR": _schedule(10),
    "minimal.optim.lr_scheduler.ExponentialLR": _schedule(0.9),
    "minimal.optim.lr_scheduler.LRScheduler": lambda base: issubclass(minimal.optim.lr_scheduler.StepLR, base),
    "minimal.optim.lr_scheduler.LambdaLR": _schedule(_half),
    "minimal.optim.lr_scheduler.LinearLR": _schedule(),
    "minimal.optim.lr_scheduler.MultiStepLR": _schedule([1, 2]),
    "minimal.optim.lr_scheduler.OneCycleLR": _schedule(max_lr=1.0, total_steps=10, cycle_momentum=False),
    "minimal.optim.lr_scheduler.ReduceLROnPlateau": _schedule(),
    "minimal.optim.lr_scheduler.SequentialLR": _schedule(_parts, [2]),
    "minimal.optim.lr_scheduler.StepLR": _schedule(1),
    "minimal.utils": lambda utils: utils.data.TensorDataset(minimal.arange(3)),
    "minimal.linalg": lambda linalg: linalg.norm(minimal.ones(4)),
    "minimal.utils.data.BatchSampler": lambda B: list(B(range(5), 2, False)),
    "minimal.utils.data.ConcatDataset": lambda C: C([DATA, DATA])[7],
    "minimal.utils.data.DataLoader": lambda DataLoader: list(DataLoader(DATA, 4, shuffle=True)),
    "minimal.utils.data.Dataset": _own_dataset,
    "minimal.utils.data.IterableDataset": _own_stream,
    "minimal.utils.data.RandomSampler": lambda R: list(R(DATA)),
    "minimal.utils.data.Sampler": lambda S: issubclass(minimal.utils.data.RandomSampler, S),
    "minimal.utils.data.SequentialSampler": lambda S: list(S(DATA)),
    "minimal.utils.data.Subset": lambda Subset: Subset(DATA, [2, 0])[1],
    "minimal.utils.data.SubsetRandomSampler": lambda S: list(S([3, 1])),
    "minimal.utils.data.TensorDataset": lambda T: T(minimal.arange(3))[1],
    "minimal.utils.data.WeightedRandomSampler": lambda W: list(W([0.2, 0.8], 5)),
    "minimal.utils.data.default_collate": lambda collate: collate([(1, 2.0), (3, 4.0)]),
    "minimal.utils.data.default_convert": lambda convert: convert(np.ones(2)),
    "minimal.utils.data.random_split": lambda split: split(DATA, [4, 2]),
    "minimal.generator.Generator": lambda Generator: Generator().seed(),
    "minimal.generator.default_generator": lambda generator: generator.initial_seed(),
    "minimal.generator.dropout_mask": lambda draw: draw(G, 0.5, (3,)),
    "minimal.generator.fork_rng": lambda fork: fork().__enter__(),
    "minimal.generator.get_rng_state": lambda get: get(),
    "minimal.generator.initial_seed": lambda ask: ask(),
    "minimal.generator.manual_seed": lambda seed: seed(1),
    "minimal.generator.random_bernoulli": lambda draw: draw(G, 0.5, (3,)),
    "minimal.generator.random_exponential": lambda draw: draw(G, (3,)),
    "minimal.generator.random_integers": lambda draw: draw(G, 0, 5, (3,)),
    "minimal.generator.random_multinomial": lambda draw: draw(G, np.ones(4), 2),
    "minimal.generator.random_nonnegative": lambda draw: draw(G, (3,)),
    "minimal.generator.random_normal": lambda draw: draw(G, (20,)),
    "minimal.generator.random_normal_around": lambda draw: draw(G, np.zeros(3), np.ones(3)),
    "minimal.generator.random_normal_strided": lambda draw: draw(G, (20,)),
    "minimal.generator.random_permutation": lambda draw: draw(G, 5),
    "minimal.generator.random_u64": lambda draw: draw(G),
    "minimal.generator.random_uniform": lambda draw: draw(G, (3,)),
    "minimal.generator.seed": lambda seed: seed(),
    "minimal.generator.set_rng_state": lambda set_: set_(minimal.generator.get_rng_state()),
    "minimal.serialization.load": lambda load: _save(minimal.save),
    "minimal.serialization.save": _save,
}
USES |= {f"minimal.nn.{name}": _module(*facts) for name, facts in MODULES.items()}
USES |= {f"minimal.nn.{name}": _module((), ROWS) for name in PLAIN_MODULES}
USES |= {f"minimal.nn.{name}": _loss for name in LOSSES}
