"""The training loop that a person would otherwise write again and again, with nothing hidden in it.

    trainer = nn.Trainer(model, optim.Adam(model.parameters()), nn.CrossEntropyLoss(), metrics={"accuracy": nn.accuracy})
    trainer.fit(train_loader, epochs=20, validation=test_loader, patience=3, checkpoint="run.npz")
    trainer.history[-1]                 # {"epoch": 20, "loss": ..., "validation loss": ..., "validation accuracy": ...}

An epoch is the loop from the textbook (:meth:`Trainer.train_epoch`): for each batch, gradients to zero, forward, loss,
backward, step.  Everything else is bookkeeping between epochs.  A checkpoint holds all that the next epoch depends on, the
random generators included: a run that is resumed goes on as if it had never stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from math import inf, isnan
from pathlib import Path
from typing import Any

import numpy as np

from minimal.autograd.functions import argmax, cat
from minimal.autograd.modes import no_grad
from minimal.autograd.tensor import Tensor
from minimal.generator import Generator, get_rng_state, set_rng_state
from minimal.nn.utils import clip_grad_norm_
from minimal.optim.lr_scheduler import ReduceLROnPlateau

__all__ = ["Trainer", "accuracy"]

Metric = Callable[[Tensor, Tensor], float]


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of samples whose largest output stands at the target's class.

    Parameters
    ----------
    output : Tensor of shape (n_samples, n_classes)
    target : Tensor of shape (n_samples,), int64
    """
    return float((argmax(output, 1) == target).array.mean())


class Trainer:
    """Trains a model, keeps the history, stops early if asked, and goes on from a checkpoint.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
        Over the model's parameters.
    loss : callable ``loss(output, target)`` -> Tensor without dimensions
        The mean over a batch, as the losses of ``minimal.nn`` give it.
    scheduler : learning rate scheduler, optional
        Takes one step after every epoch; ``ReduceLROnPlateau`` sees the validation loss, or the training loss without one.
    metrics : mapping of str to callable ``metric(output, target)`` -> float, optional
        Computed in :meth:`evaluate`, besides the loss.
    clip_norm : float, optional
        The largest norm that the gradients of one step may have together.
    progress : bool, optional
        Show a progress bar (needs tqdm).  Default: if tqdm is there and somebody is watching a terminal.

    Attributes
    ----------
    history : list of dict
        One for each finished epoch: "epoch", "loss" (the mean over its samples as they were trained on), and what
        :meth:`evaluate` gives on the validation data, as "validation loss" and so on.
    epoch : int
        How many epochs are finished.
    best : dict or None
        With ``patience``: the "epoch", the "loss" and the model's "state" when the watched loss was lowest.

    Examples
    --------
    >>> trainer = Trainer(model, minimal.optim.SGD(model.parameters(), lr=0.1), minimal.nn.MSELoss())
    >>> trainer.fit(loader, epochs=3)
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Callable[[Tensor, Tensor], Tensor],
        *,
        scheduler: Any = None,
        metrics: Mapping[str, Metric] | None = None,
        clip_norm: float | None = None,
        progress: bool | None = None,
    ) -> None:
        self.model, self.optimizer, self.loss, self.scheduler = model, optimizer, loss, scheduler
        self.metrics = dict(metrics or {})
        self.clip_norm = clip_norm
        self.progress = progress
        self.history: list[dict[str, Any]] = []
        self.epoch = 0
        self.best: dict[str, Any] | None = None

    # ------------------------------------------------------------ the loop

    def train_epoch(self, batches: Iterable[Any]) -> float:
        """Go through the batches once, with one step of the optimizer for each.

        Parameters
        ----------
        batches : iterable of (input, target)

        Returns
        -------
        float
            The mean loss of the samples, each as it was when its batch was trained on.

        Raises
        ------
        ValueError
            If there is no batch.
        FloatingPointError
            If the loss is NaN: before the step, so that the parameters are still good.
        """
        self.model.train()
        total, n = 0.0, 0
        for inputs, target in batches:
            self.optimizer.zero_grad()
            loss = self.loss(self.model(inputs), target)
            value = loss.item()
            if isnan(value):
                raise FloatingPointError(
                    f"the loss is NaN in epoch {self.epoch + 1}: look at the data, or take smaller steps (lr)."
                )
            loss.backward()
            if self.clip_norm is not None:
                clip_grad_norm_(self.model.parameters(), self.clip_norm)
            self.optimizer.step()
            total, n = total + value * len(target), n + len(target)
        if n == 0:
            raise ValueError("there is nothing to train on: the loader gave no batch.")
        return total / n

    def fit(
        self,
        batches: Iterable[Any],
        epochs: int = 1,
        *,
        validation: Iterable[Any] | None = None,
        patience: int | None = None,
        checkpoint: str | Path | None = None,
    ) -> list[dict[str, Any]]:
        """Train until ``epochs`` epochs are finished, those before a :meth:`resume` or an earlier ``fit`` counted.

        Parameters
        ----------
        batches : iterable of (input, target)
            Gone through once an epoch, such as a DataLoader.
        epochs : int, default=1
            How many there shall be in all.
        validation : iterable of (input, target), optional
            Evaluated after every epoch.
        patience : int, optional
            Stop when the loss (on the validation data, if there is any) has not improved for so many epochs, and give the
            model back its best state.
        checkpoint : path, optional
            Where to :meth:`save` after every epoch, ``.npz`` or ``.safetensors``.

        Returns
        -------
        list of dict
            :attr:`history`.

        Notes
        -----
        Ctrl-C, or an error in a batch, ends the run in the middle of an epoch; the history and the checkpoint tell of the
        finished ones.
        """
        if patience is not None and patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, or None. Got {patience}.")
        watched = "loss" if validation is None else "validation loss"
        with _Bar(self.progress, epochs, self.epoch) as bar:
            while self.epoch < epochs and not self._is_exhausted(patience):
                record: dict[str, Any] = {"epoch": self.epoch + 1, "loss": self.train_epoch(batches)}
                if validation is not None:
                    record |= {f"validation {name}": value for name, value in self.evaluate(validation).items()}
                self._step_scheduler(record[watched])
                if patience is not None and record[watched] < (inf if self.best is None else self.best["loss"]):
                    state = deepcopy(self.model.state_dict())
                    self.best = {"epoch": record["epoch"], "loss": record[watched], "state": state}
                self.history.append(record)
                self.epoch += 1
                if checkpoint is not None:
                    self.save(checkpoint, batches)
                bar.show(record)
        if patience is not None and self.best is not None:
            self.model.load_state_dict(self.best["state"])
        return self.history

    def _is_exhausted(self, patience: int | None) -> bool:
        return patience is not None and self.best is not None and self.epoch - self.best["epoch"] >= patience

    def _step_scheduler(self, watched: float) -> None:
        if self.scheduler is not None:
            arguments = (watched,) if isinstance(self.scheduler, ReduceLROnPlateau) else ()
            self.scheduler.step(*arguments)

    # ------------------------------------------------------------ what the model can do now

    def evaluate(self, batches: Iterable[Any]) -> dict[str, float]:
        """The mean loss and metrics over all samples, with the model in evaluation mode.

        Parameters
        ----------
        batches : iterable of (input, target)

        Returns
        -------
        dict
            "loss" and a value for each metric.
        """
        measures = {"loss": lambda output, target: self.loss(output, target).item(), **self.metrics}
        totals, n = dict.fromkeys(measures, 0.0), 0
        with no_grad(), _evaluating(self.model):
            for inputs, target in batches:
                output = self.model(inputs)
                for name, measure in measures.items():
                    totals[name] += float(measure(output, target)) * len(target)
                n += len(target)
        if n == 0:
            raise ValueError("there is nothing to evaluate: the loader gave no batch.")
        return {name: total / n for name, total in totals.items()}

    def predict(self, batches: Any) -> Tensor:
        """The model's outputs for all samples, in order, with the model in evaluation mode.

        Parameters
        ----------
        batches : Tensor, or iterable of inputs or of (input, target)
        """
        with no_grad(), _evaluating(self.model):
            if isinstance(batches, Tensor):
                return self.model(batches)
            return cat([self.model(b[0] if isinstance(b, tuple | list) else b) for b in batches])

    # ------------------------------------------------------------ checkpoints

    def save(self, path: str | Path, batches: Any = None) -> None:
        """Write all that the next epoch depends on to a file.

        Parameters
        ----------
        path : path
            Ends with ``.npz`` or ``.safetensors``.
        batches : DataLoader, optional
            The loader that trains, if it draws from a generator of its own.
        """
        from minimal.serialization import save

        own = getattr(batches, "generator", None)
        state = {
            "epoch": self.epoch,
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "best": self.best,
            "generator": Tensor(np.asarray(get_rng_state())),
            "loader generator": None if own is None else Tensor(np.asarray(own.get_state())),
        }
        save(state, path)

    def resume(self, path: str | Path, batches: Any = None) -> Trainer:
        """Go back to where a checkpoint was written: model, optimizer, scheduler, history and random generators.

        Parameters
        ----------
        path : path
        batches : DataLoader, optional
            The loader that will train, if it draws from a generator of its own.

        Returns
        -------
        Trainer
            ``self``, for ``Trainer(...).resume(path).fit(...)``.

        Raises
        ------
        RuntimeError, ValueError
            If the file does not fit the model or the optimizer; the trainer is then as it was.
        """
        from minimal.serialization import load

        state = load(path)
        missing = {"epoch", "history", "model", "optimizer", "scheduler", "best", "generator"} - set(state)
        if missing:
            raise ValueError(
                f"{str(path)!r} is not the checkpoint of a Trainer: it has no {', '.join(sorted(missing))}."
            )
        if (state["scheduler"] is None) != (self.scheduler is None):
            raise ValueError("the checkpoint was written with a scheduler, or without one, unlike this trainer.")
        before = deepcopy(self.model.state_dict())
        self.model.load_state_dict(state["model"])
        try:
            self.optimizer.load_state_dict(state["optimizer"])
        except BaseException:
            self.model.load_state_dict(before)
            raise
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        set_rng_state(state["generator"].array)
        own: Generator | None = getattr(batches, "generator", None)
        if own is not None and state["loader generator"] is not None:
            own.set_state(state["loader generator"].array)
        self.epoch, self.history, self.best = state["epoch"], state["history"], state["best"]
        return self


class _evaluating:
    """The model in evaluation mode inside the block, and as it was after it."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __enter__(self) -> None:
        self.was_training = [(module, module.training) for module in self.model.modules()]
        self.model.eval()

    def __exit__(self, *error: object) -> None:
        for module, training in self.was_training:
            module.training = training


class _Bar:
    """A progress bar by tqdm, or nothing."""

    def __init__(self, wanted: bool | None, epochs: int, done: int) -> None:
        self.bar: Any = None
        if wanted is False or (wanted is None and not sys.stderr.isatty()):
            return
        try:
            from tqdm import tqdm
        except ImportError:
            if wanted:
                raise ImportError("a progress bar needs tqdm: pip install tqdm, or progress=False.") from None
            return
        self.bar = tqdm(total=epochs, initial=done, unit="epoch", file=sys.stderr)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, record: dict[str, Any]) -> None:
        if self.bar is not None:
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in record.items() if name != "epoch"})
            self.bar.update()
