"""What a built-in operation is: a forward and a backward formula that stand together, and the recording of a call.

An operation is a class; a recorded call is an instance of it, a node of the graph.  Elementwise ones need only formulas:

    class Mul(Elementwise):
        \"\"\"out = x y,  so  dx = g y  and  dy = g x.\"\"\"
        saves = "others"
        def forward(x, y): return x * y
        def dx(g, x, y): return g * y
        def dy(g, x, y): return g * x

``g`` is dL/d(out), the rest is what ``saves`` asks for.  The formulas are NumPy: they run on arrays, and on Tensors when
second derivatives are wanted, because a Tensor answers NumPy's functions with recorded operations (``numpy_protocol.py``).
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.broadcasting import sum_to
from minimal.autograd.graph import FREED_MESSAGE, Node, Part, next_number
from minimal.autograd.modes import recording
from minimal.autograd.tensor import Tensor, node_of

ndarray = np.ndarray
new = Tensor.__new__


class _Quiet(threading.local):
    """Runs a function where NumPy does not warn of 1 / 0, as PyTorch does not; much cheaper than ``np.errstate``."""

    def __init__(self) -> None:
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


quiet = _Quiet()


class Operation(Node):
    """An operation on tensors that NumPy or a kernel carries out.

    A subclass defines ``forward(self, *arrays, ...)``, which returns an array (or a tuple of arrays), and
    ``backward(self, g, *saved)``, which returns the gradient of each tensor that went in (a tuple, or one alone).  With
    several outputs, ``g`` is a list with None where nothing arrived.  ``self.needs[i]`` tells whether the i-th is wanted.

    Attributes
    ----------
    saves : {"", "inputs", "others", "output", "both"}
        What ``backward`` gets after ``g``: nothing, the inputs, the output, or inputs and output.  "others" is "inputs"
        where a gradient by one input takes only the other inputs: those that nobody needs are None.
    keeps : tuple of str
        Attributes of the instance that hold arrays for ``backward``, let go with the graph.
    computes : bool
        Whether ``forward`` computes, so that NumPy might warn; False where numbers are only moved, which is sooner done.
    """

    saves: ClassVar[str] = ""
    keeps: ClassVar[tuple[str, ...]] = ()
    computes: ClassVar[bool] = True
    forward: Any
    saved: Any = None  # what went in: Tensors, and plain arguments as they were
    output: Any = None  # what came out: arrays
    versions: Any = None
    counter: Any = None

    def backward(self, g: Any, *saved: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any, **params: Any) -> Any:
        """Carry the operation out on tensors and plain arguments, and record it if a tensor requires a gradient."""
        node = cls()
        arrays, tensors, needs_grad = [], [], False
        for a in args:
            if isinstance(a, Tensor):
                tensors.append(a)
                needs_grad = needs_grad or a._needs_grad
                a = a.array
            arrays.append(a)
        if cls.computes:
            with np.errstate(all="ignore"):
                result = node.forward(*arrays, **params)
        else:
            result = node.forward(*arrays, **params)
        if not (needs_grad and recording.enabled):
            return tuple(map(Tensor, result)) if type(result) is tuple else Tensor(result)
        node.edges = tuple([node_of(a) for a in tensors])
        node.number = next_number()
        if cls.saves:
            node.save(args, result)
        if type(result) is not tuple:
            out = Tensor(result)
            out._needs_grad, out._node, out._counter = True, node, node.counter
            return out
        node.n_outputs = len(result)  # type: ignore[misc]
        return tuple([_part(node, i, array) for i, array in enumerate(result)])

    @classmethod
    def of(cls, *args: Any) -> Any:
        """Carry it out on what a backward formula has in hand: Tensors, and it is recorded; or arrays, at full speed."""
        return cls.apply(*args) if any(isinstance(a, Tensor) for a in args) else cls().forward(*args)

    @property
    def needs(self) -> tuple[bool, ...]:
        """For each tensor that went in: whether its gradient is wanted."""
        return tuple([edge is not None for edge in self.edges])

    # ------------------------------------------------------------ what backward will need

    def save(self, args: Sequence[Any], result: Any) -> None:
        """Keep what ``saves`` asks for, with the versions that it has now."""
        saves = self.saves
        if saves == "others":
            args = self._others(args)
        if saves != "output":
            self.saved = args
            for a in args:
                if isinstance(a, Tensor) and a._counter is not None:
                    self.versions = [a._version if isinstance(a, Tensor) else 0 for a in args]
                    break
        if saves == "output" or saves == "both":
            self.output = result
            self.counter = [0]

    def _others(self, args: Sequence[Any]) -> Sequence[Any]:
        """Each argument if another one needs a gradient, else None."""
        if len(args) == 2 and len(self.edges) == 2:
            x, y = self.edges
            return (None if y is None else args[0], None if x is None else args[1])
        wanted = [isinstance(a, Tensor) and a._needs_grad for a in args]
        n = sum(wanted)
        return [a if n > needs else None for a, needs in zip(args, wanted)]

    def unpack(self, as_tensors: bool) -> list[Any]:
        """What was saved, as arrays or Tensors.

        Raises
        ------
        RuntimeError
            If it was freed by an earlier walk, or changed in place since.
        """
        if self.freed:
            raise RuntimeError(FREED_MESSAGE)
        values = []
        if self.saved is not None:
            for i, a in enumerate(self.saved):
                if isinstance(a, Tensor):
                    if a._counter is not None:
                        then = 0 if self.versions is None else self.versions[i]
                        _check_version(self, a.array, a._counter[0], then)
                    values.append(a if as_tensors else a.array)
                else:
                    values.append(a)
        if self.counter is not None:
            outputs = self.output if type(self.output) is tuple else (self.output,)
            for array in outputs:
                _check_version(self, array, self.counter[0], 0)
                values.append(self._tensor(array) if as_tensors else array)
        return values

    def _tensor(self, array: Any) -> Tensor:
        """The output as a Tensor with its history, for second derivatives."""
        out = Tensor(array)
        out._needs_grad, out._node = True, self
        return out

    def pull_back(self, g: Any, as_tensors: bool) -> Sequence[Any]:
        if self.freed:
            raise RuntimeError(FREED_MESSAGE)
        back = self.backward(g, *self.unpack(as_tensors)) if self.saves else self.backward(g)
        return back if type(back) is tuple else (back,)

    def release(self) -> None:
        if self.saves:
            self.freed = True
            self.saved = self.output = None
        if self.keeps:
            self.freed = True
            for name in self.keeps:
                setattr(self, name, None)


def _part(node: Operation, index: int, array: Any) -> Tensor:
    out = Tensor(array)
    if dtypes.is_floating(array.dtype):
        out._needs_grad, out._node, out._counter = True, Part(node, index), node.counter
    return out


def _check_version(node: Node, array: Any, now: int, then: int) -> None:
    if now != then:
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[{array.dtype} of shape {list(array.shape)}], which {node.name()} needs as it was at version {then}, is at "
            f"version {now}. Change a clone() of it, or use the operation that makes a new tensor."
        )


class Elementwise(Operation):
    """An operation on one element of each input at a time, broadcast together; inputs are tensors or Python numbers.

    A subclass defines, all without ``self``: ``forward(x, y, ...)`` and the partial derivatives times ``g``:
    ``dx(g, *saved)``, ``dy``, ``dz``.  One that is not defined is zero.  Gradients are summed back to their inputs' shapes.

    Attributes
    ----------
    promotes : {"common", "float"}
        "float" where whole numbers become the default floating point dtype.
    asks_twin : bool
        Whether ``forward`` calls a kernel, which only the caller's context can choose: see :mod:`minimal.engine`.
    unary, binary : callable
        Carry the operation out on one tensor, or on two tensors or numbers; made for each subclass, since a small operation
        should cost little more than NumPy's own.
    """

    shapes: Any = None  # of the inputs, where they were broadcast
    promotes: ClassVar[str] = "common"
    asks_twin: ClassVar[bool] = False
    partials: ClassVar[tuple[Callable[..., Any] | None, ...]] = ()
    unary: ClassVar[Callable[[Any], Tensor]]
    binary: ClassVar[Callable[[Any, Any], Any]]

    def __init_subclass__(cls) -> None:
        cls.partials = tuple(getattr(cls, name, None) for name in ("dx", "dy", "dz"))
        if hasattr(cls, "forward"):
            cls.unary = staticmethod(_make_unary(cls))
            cls.binary = staticmethod(_make_binary(cls))

    @classmethod
    def promoted(cls, *args: Any) -> tuple[Any, ...]:
        """The tensors in the dtype that they have together; numbers stay numbers, of a kind that keeps this dtype."""
        dtype = dtypes.result_type(*args)
        if cls.promotes == "float" and dtype.kind != "f":
            dtype = dtypes.get_default_dtype()
        return tuple([a.to(dtype) if isinstance(a, Tensor) else number_in(a, dtype) for a in args])

    @classmethod
    def apply(cls, *args: Any) -> Tensor:
        """Carry it out on any number of tensors and numbers, of one dtype."""
        arrays = [a.array if isinstance(a, Tensor) else a for a in args]
        run = _run_here if cls.asks_twin else quiet.run
        try:
            result = run(cls.forward, *arrays)
        except ValueError as error:
            raise shape_error(*[a.shape for a in arrays if isinstance(a, ndarray)]) from error
        out = Tensor(result)
        if recording.enabled:
            edges = tuple([node_of(a) if isinstance(a, Tensor) else None for a in args])
            if edges.count(None) < len(edges):
                shape = out.array.shape
                broadcast = any(isinstance(a, ndarray) and a.shape != shape for a in arrays)
                shapes = [getattr(a, "shape", ()) for a in arrays] if broadcast else None
                _record(cls(), out, args, edges, shapes)
        return out

    def pull_back(self, g: Any, as_tensors: bool) -> Sequence[Any]:
        given = (g, *self.unpack(as_tensors)) if self.saves else (g,)
        edges = self.edges
        if len(edges) == 1:
            return (self.partials[0](*given),)  # type: ignore[misc]
        back = [
            None if edge is None or partial is None else partial(*given) for edge, partial in zip(edges, self.partials)
        ]
        if self.shapes is not None:
            back = [None if share is None else sum_to(share, shape) for share, shape in zip(back, self.shapes)]
        return back


def _record(node: Any, out: Tensor, args: Sequence[Any], edges: tuple[Any, ...], shapes: Any) -> None:
    """Make ``node`` the history of ``out``."""
    node.number = next_number()
    node.edges = edges
    if shapes is not None:
        node.shapes = shapes
    if node.saves:
        node.save(args, out.array)
        out._counter = node.counter
    out._needs_grad, out._node = True, node


def _run_here(forward: Callable[..., Any], *arrays: Any) -> Any:
    """As ``quiet.run``, in the caller's own context."""
    with np.errstate(all="ignore"):
        return forward(*arrays)


def _make_unary(cls: type[Elementwise]) -> Callable[[Any], Tensor]:
    forward: Any = cls.forward
    makes_floats = cls.promotes == "float"
    here = cls.asks_twin

    def unary(x: Tensor) -> Tensor:
        array = x.array
        if makes_floats and array.dtype.kind != "f":
            x = x.to(dtypes.get_default_dtype())
            array = x.array
        result = _run_here(forward, array) if here else quiet.run(forward, array)
        out = new(Tensor)
        out.array = result if type(result) is ndarray else np.asarray(result)
        if x._needs_grad and recording.enabled:
            _record(cls(), out, (x,), (node_of(x),), None)
        return out

    return unary


def _make_binary(cls: type[Elementwise]) -> Callable[[Any, Any], Any]:
    forward: Any = cls.forward
    makes_floats = cls.promotes == "float"
    saves, saves_others = bool(cls.saves), cls.saves == "others"

    def binary(x: Any, y: Any) -> Any:
        if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
            if type(y) is float and isinstance(x, Tensor) and x.array.dtype.kind == "f":
                return _with_float(cls, x, y, True)
            return _with_number(cls, x, y)
        a, b = x.array, y.array
        if a.dtype is not b.dtype or (makes_floats and a.dtype.kind != "f"):
            x, y = cls.promoted(x, y)
            a, b = x.array, y.array
        try:
            result = quiet.run(forward, a, b)
        except ValueError as error:
            raise shape_error(a.shape, b.shape) from error
        out = new(Tensor)
        out.array = result if type(result) is ndarray else np.asarray(result)
        if (x._needs_grad or y._needs_grad) and recording.enabled:
            node: Any = cls()
            node.edges = x_edge, y_edge = node_of(x), node_of(y)
            node.number = next_number()
            if saves_others and x._counter is None and y._counter is None:
                node.saved = (None if y_edge is None else x, None if x_edge is None else y)
            elif saves:
                node.save((x, y), out.array)
                out._counter = node.counter
            if a.shape != b.shape:
                node.shapes = (a.shape, b.shape)
            out._needs_grad, out._node = True, node
        return out

    return binary


def _with_number(cls: type[Elementwise], x: Any, y: Any) -> Any:
    """A tensor and a number; NotImplemented for what is neither, so that Python asks the other operand."""
    x, y = (Tensor(v) if isinstance(v, ndarray | np.generic) else v for v in (x, y))
    tensor, number = (x, y) if isinstance(x, Tensor) else (y, x)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{cls.__name__.lower()}(): expected a Tensor, got {type(x).__name__} and {type(y).__name__}")
    if isinstance(number, Tensor):
        return cls.binary(x, y)
    if not isinstance(number, NUMBERS):
        return NotImplemented
    if tensor.array.dtype.kind != "f":
        return cls.apply(*cls.promoted(x, y))
    return _with_float(cls, tensor, float(number), tensor is x)


def _with_float(cls: type[Elementwise], tensor: Tensor, number: float, is_first: bool) -> Tensor:
    """A floating point tensor and a number."""
    array = tensor.array
    out = Tensor(quiet.run(cls.forward, array, number) if is_first else quiet.run(cls.forward, number, array))
    if tensor._needs_grad and recording.enabled:
        edge = node_of(tensor)
        args, edges = ((tensor, number), (edge, None)) if is_first else ((number, tensor), (None, edge))
        _record(cls(), out, args, edges, None)
    return out


NUMBERS = (bool, int, float)


def number_in(number: Any, dtype: np.dtype) -> Any:
    """A Python number that, together with an array of this dtype, leaves the dtype as it is."""
    if dtype.kind == "f":
        return float(number)
    if dtype.kind == "b":
        return bool(number)
    limits = np.iinfo(dtype)
    number = int(number)
    return number if limits.min <= number <= limits.max else int(np.asarray(number).astype(dtype))


def broadcasting(function: Callable[..., Any], *arrays: Any) -> Any:
    """Call ``function``; shapes that do not go together raise PyTorch's kind of error, which names both."""
    try:
        return quiet.run(function, *arrays)
    except ValueError as error:
        raise shape_error(*[a.shape for a in arrays if isinstance(a, ndarray)]) from error


def shape_error(*shapes: tuple[int, ...]) -> RuntimeError:
    """What is wrong with shapes that cannot be broadcast together: the first axis, from the end, that does not fit."""
    longest = max(map(len, shapes))
    for axis in range(1, longest + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            a, b = ([shape[-axis] for shape in shapes if len(shape) >= axis and shape[-axis] != 1] * 2)[:2]
            return RuntimeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                f"{longest - axis}: shapes {' and '.join(str(list(s)) for s in shapes)} cannot be broadcast together."
            )
    return RuntimeError(f"shapes {' and '.join(str(list(s)) for s in shapes)} cannot be broadcast together.")
