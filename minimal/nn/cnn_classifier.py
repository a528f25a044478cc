"""A small convolutional network as an estimator: ``fit`` and ``predict`` on rows of pixels, in anybody's pipeline.

Pipeline([("scale", MinMaxScaler()), ("cnn", CNNClassifier(image_shape=(8, 8), random_state=0))]).fit(X, y)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import inf, isqrt
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal import generator as g
from minimal.autograd.functions import softmax
from minimal.autograd.modes import no_grad
from minimal.autograd.tensor import Tensor
from minimal.base import BaseEstimator, ClassifierMixin, forgets_on_error
from minimal.labels import encode_labels
from minimal.nn.activation import ReLU
from minimal.nn.containers import Sequential
from minimal.nn.convolution import Conv2d
from minimal.nn.linear import Linear
from minimal.nn.loss import CrossEntropyLoss
from minimal.nn.pooling import MaxPool2d
from minimal.nn.shaping import Flatten
from minimal.nn.trainer import Trainer
from minimal.optim import AdamW
from minimal.parameters import Constraint, integer, none, one_of, random_state, real
from minimal.random import check_random_state
from minimal.utils.data import DataLoader, TensorDataset
from minimal.validation import check_consistent_length, check_is_fitted, check_y

__all__ = ["CNNClassifier"]

BLOCK = 256  # samples that are predicted together

_one_at_a_time = threading.Lock()  # first values are drawn from the generator that everybody shares


def whole_numbers(fewest: int, most: int) -> Constraint:
    """A tuple or list of positive whole numbers."""
    return Constraint(
        lambda value: (
            isinstance(value, tuple | list)
            and fewest <= len(value) <= most
            and all(isinstance(n, Integral) and int(n) >= 1 for n in value)
        ),
        f"a tuple of {fewest} to {most} positive ints",
    )


class CNNClassifier(ClassifierMixin, BaseEstimator):
    """A small convolutional network for images, trained on the cross entropy with AdamW.

    For each entry of ``channels`` a 3 x 3 convolution, ReLU and 2 x 2 max-pooling; then a layer of ``hidden`` units, ReLU,
    and one output for each class.

    Parameters
    ----------
    image_shape : tuple of int, optional
        (height, width), or (channels, height, width), of the image that a row of X holds, pixel by pixel, row by row and
        channel by channel.  Default: a square of one channel if the number of features is a square, else one line.
    channels : sequence of int, default=(32, 64)
        Of each convolution.  Images are padded by one pixel; a side of one pixel is not pooled.
    hidden : int, default=128
        Units of the layer before the last.
    epochs : int, default=15
    batch_size : int, default=32
    learning_rate : float, default=1e-3
        Adam's step.
    weight_decay : float, default=0.0
        Pulls the parameters towards 0 (AdamW's way).
    dtype : {"float32", "float64"}, default="float32"
        In which the network computes.
    random_state : int, RandomState or None, default=None
        Seeds first values and the order of the samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : Sequential
        The network; ``model_.state_dict()`` loads into PyTorch's layers of the same names.
    loss_curve_ : list of float
        The mean training loss of each epoch.
    n_iter_ : int
        Epochs that were trained.
    image_shape_ : tuple of int
        (channels, height, width).
    n_features_in_ : int
    feature_names_in_ : ndarray, if X had names

    Notes
    -----
    With the seed s that ``random_state`` gives (an integer is its own seed), this is PyTorch's training loop:
    ``torch.manual_seed(s)``, the layers in order, a ``DataLoader`` with ``shuffle=True`` and
    ``generator=torch.Generator().manual_seed(s)``, and ``AdamW``: the same losses, to rounding.

    Examples
    --------
    >>> model = CNNClassifier(image_shape=(8, 8), random_state=0).fit(X / 16, y)
    >>> model.predict_proba(X / 16).shape
    (1797, 10)
    """

    _parameters: ClassVar[Any] = {
        "image_shape": [whole_numbers(2, 3), none],
        "channels": [whole_numbers(1, 100)],
        "hidden": [integer(1, inf)],
        "epochs": [integer(1, inf)],
        "batch_size": [integer(1, inf)],
        "learning_rate": [real(0, inf, "()")],
        "weight_decay": [real(0, inf, "[)")],
        "dtype": [one_of("float32", "float64")],
        "random_state": [random_state],
    }

    def __init__(
        self,
        image_shape: tuple[int, ...] | None = None,
        *,
        channels: Sequence[int] = (32, 64),
        hidden: int = 128,
        epochs: int = 15,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.image_shape = image_shape
        self.channels = channels
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dtype = dtype
        self.random_state = random_state

    @forgets_on_error
    def fit(self, X: Any, y: ArrayLike) -> CNNClassifier:
        """Train the network from new first values.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Pixels; scaled to about [0, 1] they train best.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters or data that do not fit together; the estimator is then not fitted.
        FloatingPointError
            If the loss becomes NaN.
        """
        self._check_parameters()
        X = self._check_X(X, reset=True, dtype=np.dtype(self.dtype), order="C")
        y = check_y(y, owner=type(self).__name__)
        check_consistent_length(X, y)
        self.classes_, codes = encode_labels(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {self.classes_[0]!r}"
            )
        self.image_shape_ = self._image_shape(X.shape[1])
        seed = self._seed()
        self.model_ = self._network(seed)
        samples = TensorDataset(Tensor(X.reshape(-1, *self.image_shape_)), Tensor(codes))
        order = g.Generator().manual_seed(seed)
        batches = DataLoader(samples, batch_size=self.batch_size, shuffle=True, generator=order)
        optimizer = AdamW(self.model_.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        trainer = Trainer(self.model_, optimizer, CrossEntropyLoss(), progress=False)
        trainer.fit(batches, epochs=self.epochs)
        self.model_.eval()
        self.loss_curve_ = [record["loss"] for record in trainer.history]
        self.n_iter_ = trainer.epoch
        return self

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """The probability of each class for each sample.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return softmax(Tensor(self._outputs(X)), 1).array

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each sample.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def _outputs(self, X: Any) -> NDArray[np.floating]:
        check_is_fitted(self)
        X = self._check_X(X, reset=False, dtype=np.dtype(self.dtype), order="C")
        images = X.reshape(-1, *self.image_shape_)
        with no_grad():
            blocks = [self.model_(Tensor(images[i : i + BLOCK])).array for i in range(0, len(images), BLOCK)]
        return np.concatenate(blocks)

    def _image_shape(self, n_features: int) -> tuple[int, ...]:
        """(channels, height, width) of the images in rows of so many features."""
        if self.image_shape is None:
            side = isqrt(n_features)
            return (1, side, side) if side * side == n_features else (1, 1, n_features)
        shape = tuple(int(n) for n in self.image_shape)
        shape = shape if len(shape) == 3 else (1, *shape)
        if int(np.prod(shape)) != n_features:
            raise ValueError(
                f"X has {n_features} features, but images of shape {shape} (channels, height, width) have "
                f"{int(np.prod(shape))} pixels: set image_shape accordingly."
            )
        return shape

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(0, 2**31 - 1))

    def _network(self, seed: int) -> Sequential:
        """The layers with first values drawn from the seed; the shared generator is afterwards as it was before."""
        with _one_at_a_time, g.fork_rng():
            g.manual_seed(seed)
            layers: list[Any] = []
            n, *sides = self.image_shape_
            for m in self.channels:
                pool = tuple(2 if side > 1 else 1 for side in sides)
                layers += [Conv2d(n, m, 3, padding=1), ReLU(), MaxPool2d(pool)]
                n, sides = m, [side // p for side, p in zip(sides, pool)]
            n_inputs = n * sides[0] * sides[1]
            layers += [Flatten(), Linear(n_inputs, self.hidden), ReLU(), Linear(self.hidden, len(self.classes_))]
            return Sequential(*layers).to(np.dtype(self.dtype))
