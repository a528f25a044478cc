"""PyTorch's random streams, number for number: generators, and random arrays."""

from minimal.generator.choices import dropout_mask, random_bernoulli, random_multinomial
from minimal.generator.draws import (
    random_exponential,
    random_integers,
    random_nonnegative,
    random_normal,
    random_normal_around,
    random_normal_strided,
    random_permutation,
    random_u64,
    random_uniform,
)
from minimal.generator.state import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

__all__ = [
    "Generator",
    "default_generator",
    "dropout_mask",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "random_bernoulli",
    "random_exponential",
    "random_integers",
    "random_multinomial",
    "random_nonnegative",
    "random_normal",
    "random_normal_around",
    "random_normal_strided",
    "random_permutation",
    "random_u64",
    "random_uniform",
    "seed",
    "set_rng_state",
]
