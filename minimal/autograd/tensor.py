"""The Tensor: a NumPy array that remembers how it was made.

``t.array`` is the array, ``t._node`` the recorded operation that made it (None for a leaf), and ``t.grad`` what
``backward`` put there.  The arithmetic itself stands in ``operations/``; PyTorch's method names are bound to it in
``methods.py``.

Views and changes in place need care.  Tensors that share memory share a *version counter*, which every change in place
increases: an operation that saved a value finds out in ``backward`` that it was changed.  A view also knows the tensor that
it looks into (its *base*) and the *recipe* by which it came from it, so that a change through the view is recorded in the
history of the base, and a change of the base in the history of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minimal.autograd.graph import Handle, Hooks, Node
from minimal.autograd.modes import recording

__all__ = ["Tensor"]

ndarray = np.ndarray


class Tensor:
    """An array of numbers of one dtype that can be differentiated through.

    Parameters
    ----------
    array : ndarray or array_like
        Kept as it is, not copied: changing one changes the other.  :func:`minimal.tensor` copies.

    Attributes
    ----------
    array : ndarray
        The numbers.
    grad : Tensor or None
        For a leaf that requires a gradient: the sum of those that ``backward`` brought.

    Source: torch.Tensor, 2.13.0, whose names and meanings these are.  Differs from the reference when NumPy's functions are
    called on it: ``np.sin(t)`` is ``t.sin()``, recorded like any other operation.
    """

    array: ndarray
    _grad: Tensor | None = None
    _needs_grad = False
    _node: Node | None = None
    _counter: list[int] | None = None  # shared by all that share memory; None until somebody has to count
    _base: Tensor | None = None
    _recipes: tuple[Callable[[Tensor], Tensor], ...] = ()
    _seen = 0  # of a view: the version at which its history was up to date
    _may_not_change = ""  # of a view: why a recorded change in place is refused
    _leaf_hooks: Hooks | None = None

    def __init__(self, array: Any) -> None:
        self.array = array if type(array) is ndarray else np.asarray(array)

    # ------------------------------------------------------------ facts

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def requires_grad(self) -> bool:
        return self._needs_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by a person rather than by a recorded operation."""
        return node_of(self) is self or not self._needs_grad

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made it."""
        edge = node_of(self)
        from minimal.autograd.graph import Part

        if isinstance(edge, Part):
            return edge.parent
        return edge if isinstance(edge, Node) else None

    @property
    def grad(self) -> Tensor | None:
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value)}")
            if value.shape != self.shape:
                raise RuntimeError(
                    "assigned grad has data of a different size: a gradient has the shape of its tensor, "
                    f"{list(self.shape)}, not {list(value.shape)}"
                )
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same numbers without history and without a share in the version counter: changes are not noticed."""
        return Tensor(self.array)

    @data.setter
    def data(self, value: Tensor) -> None:
        self.array = value.array

    @property
    def _version(self) -> int:
        return 0 if self._counter is None else self._counter[0]

    # ------------------------------------------------------------ gradients

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for gradients of this tensor, or ask no more.

        Raises
        ------
        RuntimeError
            If its dtype is not floating point, or if it is not a leaf and shall need none.
        """
        if requires_grad and self.array.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, this one is {self.dtype}")
        if not requires_grad and self._needs_grad and not self.is_leaf:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        self._needs_grad = bool(requires_grad)
        return self

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add d(self)/d(leaf) to the ``grad`` of every leaf that requires one.

        Parameters
        ----------
        gradient : Tensor, optional
            dL/d(self), of the shape of ``self``.  Default: 1, for a tensor of one element.
        retain_graph : bool, optional
            Keep the graph for another call.  Default: as ``create_graph``.
        create_graph : bool, default=False
            Record the making of the gradients too, for second derivatives.
        inputs : sequence of Tensor, optional
            Only these leaves get gradients.

        Raises
        ------
        RuntimeError
            If nothing here requires a gradient, if ``self`` has several elements and no ``gradient`` is given, if the graph
            was freed by an earlier call, or if a value that is needed was changed in place.
        """
        from minimal.autograd.differentiate import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same numbers without history."""
        out = Tensor(self.array)
        out._counter = self._counting()
        return out

    def detach_(self) -> Tensor:
        """Forget the history."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node, self._needs_grad = None, False
        return self

    def retain_grad(self) -> None:
        """Let ``backward`` fill ``grad`` here too, although this is no leaf."""
        edge = node_of(self)
        if edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if isinstance(edge, Node):
            from weakref import ref

            me = ref(self)

            def keep(g: Tensor) -> None:
                tensor = me()
                if tensor is not None:
                    tensor._grad = g if tensor._grad is None else tensor._grad + g

            if not getattr(self, "retains_grad", False):
                self.retains_grad = True
                edge._hooks().keepers.append(keep)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call ``hook(gradient)`` when the gradient of this tensor is known; a Tensor that it returns replaces it."""
        edge = node_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if isinstance(edge, Node):
            return Handle(edge._hooks().on_output, hook)
        return Handle(self._hooks_of_leaf().on_output, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call ``hook(tensor)`` when ``backward`` has filled the ``grad`` of this leaf."""
        if node_of(self) is not self:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return Handle(self._hooks_of_leaf().after, hook)

    def _hooks_of_leaf(self) -> Hooks:
        if self._leaf_hooks is None:
            self._leaf_hooks = Hooks()
        return self._leaf_hooks

    # ------------------------------------------------------------ versions and views

    def _counting(self) -> list[int]:
        """The version counter, made now if nobody has counted yet."""
        if self._counter is None:
            self._counter = [0]
        return self._counter

    def _bump_version(self) -> None:
        """Tell that the numbers were changed in place."""
        self._counting()[0] += 1

    def _looks_into(self, base: Tensor, recipe: Callable[[Tensor], Tensor]) -> Tensor:
        """Make ``self`` a view of ``base``, from which ``recipe`` makes it."""
        self._counter = base._counting()
        self._base = base._base if base._base is not None else base
        self._recipes = (*base._recipes, recipe)
        self._seen = self._counter[0]
        self._may_not_change = base._may_not_change if recording.enabled else "was created in no_grad mode"
        return self

    def _is_view(self) -> bool:
        return self._base is not None

    def _refresh(self) -> None:
        """The history of a view, after a change of what it looks into."""
        assert self._base is not None
        base = self._base
        if base._needs_grad and self._may_not_change == ONE_OF_SEVERAL:
            raise RuntimeError(
                f"A tensor {ONE_OF_SEVERAL}, and its base or another view of its base has been modified inplace: use "
                "clone() on what is changed, or index it."
            )
        self._seen = self._version
        if base._needs_grad:
            fresh = base
            from minimal.autograd.modes import enable_grad

            with enable_grad():
                for recipe in self._recipes:
                    fresh = recipe(fresh)
            self._node, self._needs_grad = fresh._node, fresh._needs_grad

    # ------------------------------------------------------------ to Python and NumPy

    def numpy(self, *, force: bool = False) -> ndarray:
        """The array itself, sharing memory.

        Raises
        ------
        RuntimeError
            If the tensor requires a gradient: use ``detach().numpy()``, or ``force=True``.
        """
        if self._needs_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from minimal.autograd.numpy_protocol import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from minimal.autograd.numpy_protocol import call_function

        return call_function(function, args, options)

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            words = "no values" if self.array.size == 0 else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {words} is ambiguous")
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self._only_element())

    def __int__(self) -> int:
        return int(self._only_element())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu" or self.array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __complex__(self) -> complex:
        return complex(self._only_element())

    def _only_element(self) -> Any:
        if self.array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, not {self.array.size} elements"
            )
        return self.array.item()

    def __format__(self, spec: str) -> str:
        return (
            format(self.item(), spec)
            if self.array.ndim == 0 and spec
            else str(self)
            if not spec
            else format(str(self), spec)
        )

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, value: Any) -> bool:
        return bool((self.array == (value.array if isinstance(value, Tensor) else value)).any())

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        from minimal.autograd.printing import text_of

        return text_of(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment: "
                "use clone() or detach() first."
            )
        out = type(self).__new__(type(self))
        memo[id(self)] = out
        out.array = self.array.copy("K")
        out._needs_grad = self._needs_grad
        if self._grad is not None:
            out._grad = self._grad.detach().clone()
        return out

    def __getstate__(self) -> dict[str, Any]:
        if not self.is_leaf:
            raise RuntimeError("a tensor with a history cannot be pickled: use detach() first.")
        return {"array": self.array, "_needs_grad": self._needs_grad}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    if TYPE_CHECKING:  # the methods of methods.py

        def __getattr__(self, name: str) -> Any: ...

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...


ONE_OF_SEVERAL = "is one of several views that one function made"


def one_of_several(view: Tensor) -> Tensor:
    """Mark a view that came with others, as from ``split``: changing one of them would change the history of all."""
    if view._base is not None and not view._may_not_change:
        view._may_not_change = ONE_OF_SEVERAL
    return view


def node_of(tensor: Tensor) -> Any:
    """Where gradients of this tensor go: to the node that made it, to itself if it is a leaf, or (None) nowhere."""
    if tensor._base is not None and tensor._seen != tensor._version:
        tensor._refresh()
    if tensor._node is not None:
        return tensor._node
    return tensor if tensor._needs_grad else None


def wrap(array: Any) -> Tensor:
    """The array as a Tensor, sharing memory, without history; a Tensor as it is."""
    return array if isinstance(array, Tensor) else Tensor(array)


def as_kind(value: Any, kind: type) -> Any:
    """A Tensor, or the array in it: what flows through the graph in this walk."""
    if issubclass(kind, Tensor):
        return wrap(value)
    return value.array if isinstance(value, Tensor) else value


def check_may_change(tensor: Tensor) -> None:
    """Refuse a change in place that would falsify a gradient.

    Raises
    ------
    RuntimeError
        For a leaf that requires a gradient, or a view of one, while operations are recorded; and for a view whose history
        would be ambiguous.
    """
    if not recording.enabled:
        return
    if tensor._may_not_change and tensor._base is not None and tensor._base._needs_grad:
        raise RuntimeError(
            f"A view {tensor._may_not_change} and is being modified inplace: use clone() on it, or index the base instead."
        )
    if not tensor._needs_grad:
        return
    if node_of(tensor) is tensor:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation: change it inside "
            "minimal.no_grad(), or compute a new tensor."
        )
    base = tensor._base
    if base is not None and node_of(base) is base:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
