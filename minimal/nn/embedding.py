"""Embedding: a table of vectors, one for each word, and the vectors of the words asked for."""

from __future__ import annotations

from typing import Any

from minimal.autograd.modes import no_grad
from minimal.autograd.tensor import Tensor
from minimal.nn import functional as F
from minimal.nn import init
from minimal.nn.functional.layers import checked_padding_idx
from minimal.nn.module import Module
from minimal.nn.parameter import Parameter, new_values

__all__ = ["Embedding"]


class Embedding(Module):
    """out[..., :] = weight[index[...], :].

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many vectors, and how long they are.
    padding_idx : int, optional
        A row that is zero at first and gets no gradient.
    max_norm : float, optional
        When a vector that is longer is looked up, it is first shortened, in the table.
    norm_type : float
        p of the norm for ``max_norm``.  Default: 2.
    scale_grad_by_freq : bool
        Divide the gradient of a row by how often it was looked up in the batch.  Default: False.
    sparse : False
        There are no sparse gradients here.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)
        Drawn from N(0, 1).

    Raises
    ------
    AssertionError
        If ``padding_idx`` is no row, or a given weight does not have the shape.
    NotImplementedError
        If ``sparse``.

    Shapes: an integer tensor of any shape -> that shape and embedding_dim.

    Source: torch.nn.Embedding, 2.13.0.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: object = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError("There are no sparse gradients here: use sparse=False.")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = checked_padding_idx(padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        values = new_values(num_embeddings, embedding_dim, device=device, dtype=dtype) if _weight is None else _weight
        if values.shape != (num_embeddings, embedding_dim):
            raise AssertionError(
                f"Shape of weight {list(values.shape)} does not match num_embeddings and embedding_dim "
                f"{[num_embeddings, embedding_dim]}"
            )
        self.weight = Parameter(values, requires_grad=not _freeze)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding with a given table.

        Parameters
        ----------
        embeddings : Tensor of shape (num_embeddings, embedding_dim)
        freeze : bool
            Whether the table stays as it is in training.  Default: True.
        padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
            Those of the class.

        Raises
        ------
        AssertionError
            If the table does not have two dimensions.
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        parts += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)
