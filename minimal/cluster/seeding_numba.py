"""Twin of ``seeding_numpy``; to be compiled."""

from minimal.cluster.seeding_numpy import Prepared, look, prepare

__all__ = ["Prepared", "look", "prepare"]
