"""CNNClassifier: PyTorch's losses from the same seed, good digits, and a place in scikit-learn's pipelines and searches."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn.base
import sklearn.datasets
import torch
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import minimal
from minimal.nn import CNNClassifier

COMPONENT = "CNNClassifier"


@pytest.fixture(scope="module")
def digits():
    X, y = sklearn.datasets.load_digits(return_X_y=True)
    return train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)


def network_of_torch(n_channels=1):
    n = torch.nn
    return n.Sequential(
        n.Conv2d(n_channels, 32, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Conv2d(32, 64, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Flatten(),
        n.Linear(256, 128),
        n.ReLU(),
        n.Linear(128, 10),
    )


def train_torch(X, y, epochs, seed):
    torch.manual_seed(seed)
    model = network_of_torch().double()
    data = torch.utils.data.TensorDataset(torch.tensor(X.reshape(-1, 1, 8, 8)), torch.tensor(y))
    order = torch.Generator().manual_seed(seed)
    batches = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, generator=order)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    curve = []
    for _ in range(epochs):
        total = 0.0
        for x, target in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(target)
        curve.append(total / len(y))
    return model, curve


def test_same_seed_same_losses_as_pytorch(digits, engine, parity, implementation):
    X, _, y, _ = digits
    X, y = X[:320], y[:320]
    ours = implementation("CNNClassifier")((8, 8), epochs=3, dtype="float64", random_state=5).fit(X, y)
    model, curve = train_torch(X, y, 3, 5)
    reason = "sums of products in another order"
    parity.rounding(np.array(ours.loss_curve_), np.array(curve), what="loss curve", bound=1e-12, reason=reason)
    for (name, p), theirs in zip(ours.model_.named_parameters(), model.parameters()):
        parity.rounding(p.detach().numpy(), theirs.detach().numpy(), what=name, bound=1e-10, reason=reason)
    theirs = torch.softmax(model(torch.tensor(X.reshape(-1, 1, 8, 8))), 1).detach().numpy()
    parity.rounding(ours.predict_proba(X), theirs, what="probabilities", bound=1e-10, reason=reason)


def test_network_goes_to_pytorch_and_back(digits):
    X, _, y, _ = digits
    ours = CNNClassifier((8, 8), epochs=1, random_state=0).fit(X[:100], y[:100])
    theirs = network_of_torch()
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in ours.model_.state_dict().items()})
    outputs = theirs(torch.tensor(X[:9].reshape(-1, 1, 8, 8), dtype=torch.float32)).softmax(1).detach().numpy()
    assert np.allclose(ours.predict_proba(X[:9]), outputs, atol=1e-5)


def test_digits_accuracy(digits):
    X, X_test, y, y_test = digits
    model = CNNClassifier((8, 8), random_state=0).fit(X, y)
    assert model.score(X_test, y_test) >= 0.98
    assert model.loss_curve_[-1] < 0.1 * model.loss_curve_[0]
    assert model.n_iter_ == 15


def test_same_seed_same_model_and_the_shared_generator_as_before(digits):
    X, _, y, _ = digits
    minimal.manual_seed(1)
    expected = minimal.rand(3)
    minimal.manual_seed(1)
    first, second = (CNNClassifier((8, 8), epochs=1, random_state=3).fit(X[:64], y[:64]) for _ in range(2))
    assert minimal.rand(3).tolist() == expected.tolist()
    assert np.array_equal(first.predict_proba(X[:5]), second.predict_proba(X[:5]))
    third = CNNClassifier((8, 8), epochs=1, random_state=np.random.RandomState(3)).fit(X[:64], y[:64])
    assert not np.array_equal(first.predict_proba(X[:5]), third.predict_proba(X[:5]))


def test_works_in_pipelines_and_searches(digits):
    X, _, y, _ = digits
    X, y = X[:150], np.array(["even", "odd"])[y[:150] % 2]
    pipeline = make_pipeline(MinMaxScaler(), CNNClassifier((8, 8), channels=(4,), hidden=8, epochs=4, random_state=0))
    scores = cross_val_score(pipeline, X, y, cv=3)
    assert scores.min() > 0.6
    search = GridSearchCV(pipeline, {"cnnclassifier__channels": [(2,), (8,)]}, cv=2).fit(X, y)
    assert set(search.predict(X)) <= {"even", "odd"}
    clone = sklearn.base.clone(search.best_estimator_[-1])
    assert clone.get_params() == search.best_estimator_[-1].get_params()


def test_pickles(digits):
    X, _, y, _ = digits
    model = CNNClassifier((8, 8), epochs=1, random_state=0).fit(X[:64], y[:64])
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X[:9]), model.predict_proba(X[:9]))


@pytest.mark.parametrize(
    ("options", "n_features", "shape"),
    [
        ({}, 64, (1, 8, 8)),
        ({}, 10, (1, 1, 10)),
        ({"image_shape": (4, 6)}, 24, (1, 4, 6)),
        ({"image_shape": (3, 2, 5)}, 30, (3, 2, 5)),
        ({}, 1, (1, 1, 1)),
    ],
)
def test_image_shapes(options, n_features, shape):
    X = np.random.default_rng(0).random((20, n_features))
    model = CNNClassifier(**options, channels=(2, 3), hidden=4, epochs=1).fit(X, np.arange(20) % 2)
    assert model.image_shape_ == shape
    assert model.predict_proba(X).shape == (20, 2)
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)


def test_channels_come_one_after_another():
    X = np.random.default_rng(0).random((4, 12))
    model = CNNClassifier((3, 2, 2), channels=(2,), hidden=4, epochs=1, random_state=0).fit(X, [0, 1, 0, 1])
    with minimal.no_grad():
        outputs = model.model_(minimal.tensor(X.reshape(4, 3, 2, 2), dtype=minimal.float32)).softmax(1)
    assert np.allclose(outputs.numpy(), model.predict_proba(X))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_shape": (7, 8)}, "64 features"),
        ({"image_shape": (8,)}, "image_shape"),
        ({"image_shape": "square"}, "image_shape"),
        ({"channels": ()}, "channels"),
        ({"channels": (0,)}, "channels"),
        ({"hidden": 0}, "hidden"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"dtype": "int64"}, "dtype"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_bad_parameters_leave_an_estimator_that_is_not_fitted(digits, options, words):
    X, _, y, _ = digits
    model = CNNClassifier(epochs=1, channels=(2,), hidden=4).fit(X[:20], y[:20])
    with pytest.raises(ValueError, match=words):
        model.set_params(**options).fit(X[:20], y[:20])
    with pytest.raises(ValueError, match="not fitted"):
        model.predict(X[:2])
