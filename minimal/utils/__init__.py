"""What surrounds training: :mod:`minimal.utils.data` brings samples in batches."""

from minimal.utils import data

__all__ = ["data"]
