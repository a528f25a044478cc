"""What functions with several results give: tuples whose parts have names, as ``minimal.sort(x).values``.

Source: torch.return_types, 2.13.0.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["aminmax", "cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk"]

_VALUES = ("values", "indices")

max = namedtuple("max", _VALUES)
min = namedtuple("min", _VALUES)
median = namedtuple("median", _VALUES)
nanmedian = namedtuple("nanmedian", _VALUES)
mode = namedtuple("mode", _VALUES)
sort = namedtuple("sort", _VALUES)
topk = namedtuple("topk", _VALUES)
kthvalue = namedtuple("kthvalue", _VALUES)
cummax = namedtuple("cummax", _VALUES)
cummin = namedtuple("cummin", _VALUES)
aminmax = namedtuple("aminmax", ("min", "max"))
