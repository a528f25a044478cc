"""What every estimator can do: tell and change its parameters, describe itself, remember its features, take part in
scikit-learn's pipelines and searches.

scikit-learn recognises an estimator by what it can do, not by its ancestors.  So nothing is imported from it; the few hooks
that it calls (``__sklearn_tags__`` first of all) import what they need when it calls them.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from html import escape
from importlib import import_module
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minimal.exceptions import UndefinedMetricWarning, kin
from minimal.parameters import Constraint, check_parameters
from minimal.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    feature_names,
    is_sparse,
)

__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "ClusterMixin",
    "RegressorMixin",
    "TransformerMixin",
    "forgets_on_error",
    "in_container",
]

Method = TypeVar("Method", bound=Callable[..., Any])


def forgets_on_error(method: Method) -> Method:
    """Make a ``fit`` that fails leave an estimator that is not fitted, whatever it knew before."""

    @wraps(method)
    def fit(self: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            self._forget()
            raise

    return fit  # type: ignore[return-value]


def in_container(method: Method) -> Method:
    """Let a ``transform`` answer in the container that ``set_output`` asked for."""

    @wraps(method)
    def transform(self: TransformerMixin, X: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, X, *args, **kwargs)
        kind = self._output_kind()
        return result if kind == "default" else _contain(result, X, kind, self.get_feature_names_out)

    return transform  # type: ignore[return-value]


class BaseEstimator:
    """The ground of all estimators.

    A subclass takes explicit keyword parameters in ``__init__``, stores each under its own name and does nothing else
    there; ``fit`` checks them, learns attributes whose names end with an underscore, and returns ``self``.
    """

    _parameters: ClassVar[Mapping[str, Iterable[Constraint]]] = {}

    # ------------------------------------------------------------ parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list the parameters of estimators among them too, as ``name__parameter``.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = {}
        for name in _parameter_names(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                params |= {f"{name}__{inner}": v for inner, v in value.get_params().items()}
            params[name] = value
        return params

    def set_params(self, **params: Any) -> Any:
        """Change parameters by name; ``name__parameter`` reaches into an estimator that is a parameter.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        names = _parameter_names(type(self))  # type: ignore[arg-type]
        nested: dict[str, dict[str, Any]] = defaultdict(dict)
        for key, value in params.items():
            name, delimiter, inner = key.partition("__")
            if name not in names:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {list(names)!r}."
                )
            if delimiter:
                nested[name][inner] = value
            else:
                setattr(self, name, value)
        for name, inner_params in nested.items():
            getattr(self, name).set_params(**inner_params)
        return self

    def _check_parameters(self) -> None:
        """Raise for a parameter that is not allowed; those that still are their defaults need no look."""
        defaults = _signature(type(self))  # type: ignore[arg-type]
        changed = {
            name: vars(self)[name] for name in self._parameters if vars(self)[name] is not defaults[name].default
        }
        check_parameters(changed, self._parameters, type(self).__name__)

    # ------------------------------------------------------------ features

    def _check_X(self, X: Any, *, reset: bool, **options: Any) -> Any:
        """``X`` as an array (see :func:`minimal.validation.check_array`), its features remembered or compared.

        ``reset`` is True where the estimator learns its features, False where ``X`` must have the ones it learned.
        """
        names = feature_names(X)
        if not reset:
            self._compare_names(names)
        array = check_array(X, name="X", owner=type(self).__name__, **options)
        if reset:
            self._remember_features(array.shape[1], names)
        elif array.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {array.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input."
            )
        return array

    def _remember_features(self, n_features: int, names: NDArray[np.object_] | None) -> None:
        self.n_features_in_ = n_features
        if names is not None:
            self.feature_names_in_ = names
        elif "feature_names_in_" in vars(self):
            del self.feature_names_in_

    def _compare_names(self, names: NDArray[np.object_] | None) -> None:
        learned = vars(self).get("feature_names_in_")
        if names is None and learned is None:
            return
        me = type(self).__name__
        if learned is None:
            warnings.warn(f"X has feature names, but {me} was fitted without feature names", UserWarning, stacklevel=4)
        elif names is None:
            warnings.warn(
                f"X does not have valid feature names, but {me} was fitted with feature names",
                UserWarning,
                stacklevel=4,
            )
        elif len(names) != len(learned) or (names != learned).any():
            raise ValueError(_names_differ(set(names), set(learned)))

    # ------------------------------------------------------------ state

    def _forget(self) -> None:
        """Remove everything that was learned."""
        for name in [name for name in vars(self) if name.endswith("_") and not name.endswith("__")]:
            delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        return "n_features_in_" in vars(self)

    def __getstate__(self) -> dict[str, Any]:
        from minimal import __version__

        return {**vars(self), "_minimal_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from minimal import __version__

        written_by = state.pop("_minimal_version", "an unknown version")
        if written_by != __version__:
            warnings.warn(
                f"This {type(self).__name__} was pickled by minimal {written_by} and is read by {__version__}: fit it again "
                "if its answers matter.",
                UserWarning,
                stacklevel=2,
            )
        vars(self).update(state)

    # ------------------------------------------------------------ descriptions

    def _changed_params(self) -> dict[str, Any]:
        defaults = {name: p.default for name, p in _signature(type(self)).items()}  # type: ignore[arg-type]
        return {name: value for name, value in self.get_params(deep=False).items() if _differs(value, defaults[name])}

    def __repr__(self) -> str:
        items = [f"{name}={value!r}" for name, value in self._changed_params().items()]
        head = f"{type(self).__name__}("
        lines = [head]
        for i, item in enumerate(items):
            piece = item + ("," if i < len(items) - 1 else ")")
            if len(lines[-1]) + len(piece) + 1 > 80 and lines[-1].strip() != head:
                lines.append(" " * len(head) + piece)
            else:
                lines[-1] += piece if lines[-1].endswith("(") else " " + piece
        return "\n".join(lines) if items else head + ")"

    def _repr_html_(self) -> str:
        """A small table of the parameters, those that differ from their defaults in bold, for notebooks."""
        changed = self._changed_params()
        rows = "".join(
            f"<tr><td>{'<b>' if name in changed else ''}{escape(name)}{'</b>' if name in changed else ''}</td>"
            f"<td><code>{escape(repr(value))}</code></td></tr>"
            for name, value in self.get_params(deep=False).items()
        )
        state = "fitted" if self.__sklearn_is_fitted__() else "not fitted"
        return (
            f'<details class="minimal-estimator"><summary><code>{escape(repr(self))}</code> <em>({state})</em></summary>'
            f"<table><thead><tr><th>parameter</th><th>value</th></tr></thead><tbody>{rows}</tbody></table></details>"
        )

    # ------------------------------------------------------------ scikit-learn asks

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect of this estimator; runs only when scikit-learn asks."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )


class ClassifierMixin:
    """Adds ``score`` (the mean accuracy) and what scikit-learn wants to know of a classifier."""

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of samples whose predicted label is the true one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            True labels.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float
            sum(w [predicted = true]) / sum(w), between 0 and 1.
        """
        predicted = self.predict(X)  # type: ignore[attr-defined]
        truth = column_or_1d(y)
        check_consistent_length(truth, predicted, sample_weight)
        return float(
            np.average(truth == predicted, weights=None if sample_weight is None else np.asarray(sample_weight))
        )

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        tags.target_tags.required = True
        return tags


class RegressorMixin:
    """Adds ``score`` (the coefficient of determination) and what scikit-learn wants to know of a regressor."""

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of the target's variation that the predictions explain, R squared.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float
            1 - sum(w (y - predicted)**2) / sum(w (y - mean(y))**2), the average over the outputs; 1 is best, 0 is what the
            mean as a constant prediction gets.  A constant target gives 1 if it is predicted exactly, else 0.

        Source: ``sklearn.metrics.r2_score``, 1.9.1.
        """
        predicted = self.predict(X)  # type: ignore[attr-defined]
        truth = np.asarray(y, dtype=np.float64)
        check_consistent_length(truth, predicted, sample_weight)
        if len(truth) < 2:
            warnings.warn(
                "R^2 score is not well-defined with less than two samples.", kin(UndefinedMetricWarning), stacklevel=2
            )
            return float("nan")
        truth, predicted = truth.reshape(len(truth), -1), predicted.reshape(len(truth), -1)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        w = np.ones((len(truth), 1)) if weight is None else weight[:, np.newaxis]
        residual = (w * (truth - predicted) ** 2).sum(axis=0)
        total = (w * (truth - np.average(truth, axis=0, weights=weight)) ** 2).sum(axis=0)
        explained = np.where(residual == 0, 1.0, 0.0)
        varies = total != 0
        explained[varies] = 1 - residual[varies] / total[varies]
        return float(np.average(explained))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags

        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags()
        tags.target_tags.required = True
        return tags


class ClusterMixin:
    """Adds ``fit_predict`` and what scikit-learn wants to know of a clusterer."""

    def fit_predict(self, X: Any, y: Any = None, **fit_params: Any) -> NDArray[Any]:
        """``fit(X, **fit_params)``, then the ``labels_`` of the samples."""
        return self.fit(X, **fit_params).labels_  # type: ignore[attr-defined]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "clusterer"
        return tags


class TransformerMixin:
    """Adds ``fit_transform``, ``set_output``, one output feature for each input feature, and the transformer's tags.

    A subclass marks its ``transform`` with :func:`in_container`.
    """

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """``fit(X, y, **fit_params)``, then ``transform(X)``: parameters, result and errors are theirs."""
        return self.fit(X, y, **fit_params).transform(X)  # type: ignore[attr-defined]

    def set_output(self, *, transform: str | None = None) -> Any:
        """Choose what ``transform`` answers in.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            Arrays, or that library's data frames.  None changes nothing.

        Returns
        -------
        self
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the name that scikit-learn's clone copies
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """The names of the output columns: those of the input.

        Parameters
        ----------
        input_features : array-like of str, optional
            Default: the names seen in ``fit``, or ``x0, x1, ...``.

        Returns
        -------
        ndarray of shape (n_features,), of str objects

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the given names are not those seen in ``fit``, or too few or too many.
        """
        check_is_fitted(self)
        learned = vars(self).get("feature_names_in_")
        n_features: int = self.n_features_in_  # type: ignore[attr-defined]
        if input_features is None:
            return learned if learned is not None else np.asarray([f"x{i}" for i in range(n_features)], dtype=object)
        given = np.asarray(input_features, dtype=object)
        if learned is not None and not np.array_equal(learned, given):
            raise ValueError("input_features is not equal to feature_names_in_")
        if len(given) != n_features:
            raise ValueError(
                f"input_features should have length equal to number of features ({n_features}), got {len(given)}"
            )
        return given

    def _output_kind(self) -> str:
        """This transformer's choice, else that of ``sklearn.set_config`` where scikit-learn is loaded, else arrays."""
        own = vars(self).get("_sklearn_output_config")
        if own is not None:
            kind = own["transform"]
        else:
            sklearn = sys.modules.get("sklearn")
            kind = sklearn.get_config()["transform_output"] if sklearn is not None else "default"
        if kind not in ("default", "pandas", "polars"):
            raise ValueError(f"output config must be in ['default', 'pandas', 'polars'], got {kind}")
        return kind

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import TransformerTags

        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.transformer_tags = TransformerTags()
        return tags


# ---------------------------------------------------------------- helpers


@cache
def _signature(kind: Any) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(kind.__init__).parameters
    return {name: p for name, p in parameters.items() if name != "self" and p.kind is not p.VAR_KEYWORD}


@cache
def _parameter_names(kind: Any) -> tuple[str, ...]:
    return tuple(sorted(_signature(kind)))


def _differs(value: Any, default: Any) -> bool:
    """Whether to show a parameter: it is not its default (NaN equals NaN here)."""
    return type(value) is not type(default) or repr(value) != repr(default)


def _names_differ(given: set[str], learned: set[str]) -> str:
    def listing(title: str, names: set[str]) -> str:
        lines = [f"- {name}" for name in sorted(names)]
        shown = lines[:5] + (["- ..."] if len(lines) > 5 else [])
        return "\n".join([title, *shown, ""]) if names else ""

    message = "The feature names should match those that were passed during fit.\n"
    message += listing("Feature names unseen at fit time:", given - learned)
    message += listing("Feature names seen at fit time, yet now missing:", learned - given)
    return message if given != learned else message + "Feature names must be in the same order as they were in fit.\n"


def _contain(result: Any, X: Any, kind: str, names: Callable[[], NDArray[np.object_]]) -> Any:
    """``result`` as a data frame of the library that the user named (the only place that loads it)."""
    if is_sparse(result):
        raise ValueError(
            "The transformer outputs a scipy sparse matrix. Try to set the transformer output to a dense array or disable "
            f"{kind.capitalize()} output with set_output(transform='default')."
        )
    try:
        library = import_module(kind)
    except ImportError as error:
        raise ImportError(f"Setting output container to {kind!r} requires {kind} to be installed") from error
    columns = names()
    if kind == "polars":
        return library.DataFrame(result, schema=columns.tolist(), orient="row")
    index = X.index if isinstance(X, library.DataFrame | library.Series) else None
    return library.DataFrame(result, index=index, columns=columns, copy=False)
