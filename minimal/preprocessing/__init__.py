"""Put features on a common scale before a model sees them."""

from minimal.preprocessing.standard_scaler import StandardScaler

__all__ = ["StandardScaler"]
