"""All tables together, and the names that are counted."""

from __future__ import annotations

from .elementwise_cases import ELEMENTWISE
from .in_place_cases import IN_PLACE
from .indexing_cases import INDEXING
from .layer_cases import KERNELS, PRODUCTS
from .loss_cases import LOSSES
from .network_cases import NETWORKS
from .operations import Case
from .reduction_cases import REDUCTIONS
from .shape_cases import SHAPES

ORDINARY: list[Case] = ELEMENTWISE + REDUCTIONS + SHAPES + INDEXING + PRODUCTS + IN_PLACE
TWINS: list[Case] = KERNELS + LOSSES + NETWORKS  # they may run a compiled kernel, so both engines are asked
TABLE: list[Case] = ORDINARY + TWINS

DIFFERENTIABLE = sorted({case.operation.removeprefix("F.").removesuffix("_") for case in TABLE if case.differentiable})
