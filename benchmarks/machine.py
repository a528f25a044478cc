"""What the numbers were measured on: processor, memory, system and versions.  No host name, no path."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.threads import cores

LIBRARIES = ("numpy", "numba", "scipy", "scikit-learn", "torch")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.strip()
    return platform.processor() or platform.machine() or "unknown processor"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    except (AttributeError, ValueError, OSError):
        return "unknown memory"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _blas() -> str:
    """The linear algebra libraries that NumPy and SciPy loaded, with the processor family they chose."""
    from threadpoolctl import threadpool_info

    found = (info for info in threadpool_info() if info["user_api"] == "blas")
    names = (f"{info['internal_api']} {info['version']} ({info.get('architecture', 'generic')})" for info in found)
    return ", ".join(dict.fromkeys(names)) or "unknown"


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def describe() -> dict[str, str]:
    """Label -> value, in the order of the heading."""
    import minimal

    with suppress(ModuleNotFoundError):
        import scipy.linalg  # noqa: F401  so that its BLAS is among those loaded
    versions = {"minimal": minimal.__version__} | {name: found for name in LIBRARIES if (found := _version(name))}
    return {
        "machine": f"{_processor()}, {cores()} cores, {_memory()}",
        "system": f"{_system()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "BLAS": _blas(),
        "engine": minimal.get_engine(),
    }


def busy() -> str | None:
    """A warning if programs were at work on this machine just before: times are then less sure than they look."""
    if not hasattr(os, "getloadavg"):
        return None
    load = os.getloadavg()[0]
    if load < 0.5:
        return None
    return f"the machine was busy in the last minute (load {load:.1f} on {cores()} cores): expect noise"
