"""The race: speed beside the libraries', and in the same run the proof that the answers agree.

``python -m benchmarks`` runs every case and prints one table.  Read :mod:`benchmarks.frame` to write a case.
"""

from importlib.util import find_spec

_missing = [name for name in ("rich", "threadpoolctl") if find_spec(name) is None]
if _missing:
    raise ImportError(f"The race needs {' and '.join(_missing)}. From the repository: pip install -e '.[reference]'")
