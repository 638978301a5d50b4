"""What this computer offers: versions, processor, threads and folders."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from convlab import __version__
from convlab.kernels import available_implementations

PACKAGES = ("numpy", "numba", "llvmlite", "matplotlib", "scikit-learn", "pooch", "jupyter-book")
VECTOR_BITS = {"avx512f": 512, "avx": 256, "sse2": 128, "neon": 128}
NEEDS_NUMBA = "known once Numba is installed: pip install numba"

Section = dict[str, str]


def describe_system() -> dict[str, Section]:
    """Say what convlab finds here.

    Returns
    -------
    dict
        Sections by title; each is a dict from label to text.

    Examples
    --------
    >>> list(describe_system())
    ['Versions', 'Processor', 'Threads', 'Folders']
    """
    numba = _import_numba()
    return {
        "Versions": _versions(),
        "Processor": {**_processor(), "vectors": _vectors(numba)},
        "Threads": _threads(numba),
        "Folders": {**_kernel_cache(numba), "data": _data_folder()},
    }


def _import_numba() -> Any:
    try:
        import numba
    except ImportError:
        return None
    return numba


def _versions() -> Section:
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    packages = {name: _version(name) for name in PACKAGES}
    return {"convlab": __version__, "Python": python, "system": system, **packages}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        needed = '"jupyter-book<2"' if package == "jupyter-book" else package
        return f"not installed: pip install {needed}"


def _processor() -> Section:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"name": _processor_name(), "cores": f"{usable} for this process, of {os.cpu_count()}"}


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _vectors(numba: Any) -> str:
    """Say how wide the vectors of the code are that Numba compiles."""
    if numba is None:
        return NEEDS_NUMBA
    from numba.core.registry import cpu_target

    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    on = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    for feature, bits in VECTOR_BITS.items():
        if feature in on:
            fused = ", fused multiply-add" if on & {"fma", "neon"} else ""
            return f"{bits} bits ({feature}): {bits // 32} float32 at once{fused}; target {name}"
    return f"none known; target {name}"


def _threads(numba: Any) -> Section:
    implementations = {"implementations": ", ".join(available_implementations())}
    if numba is None:
        return {"Numba threads": NEEDS_NUMBA, "threading layer": NEEDS_NUMBA, **implementations}
    asked = os.environ.get("NUMBA_NUM_THREADS")
    why = f"NUMBA_NUM_THREADS={asked}" if asked else "one for each core"
    threads = f"{numba.get_num_threads()} ({why})"
    return {"Numba threads": threads, "threading layer": _threading_layer(numba), **implementations}


def _threading_layer(numba: Any) -> str:
    """Name the layer that a parallel loop gets, by running one, and say why it is that one."""
    from convlab.kernels.parallel.launch import Kernel, run

    together = numba.njit(parallel=True)(_one_parallel_loop(numba.prange))
    try:
        run(Kernel(lambda *_: None, together), jobs=2, multiply_adds=10**9, scratch=0)
        layer = str(numba.threading_layer())
    except (RuntimeError, ValueError) as error:
        return f"none: {str(error).splitlines()[0]}"
    wish, order = numba.config.THREADING_LAYER, list(numba.config.THREADING_LAYER_PRIORITY)
    if wish != "default":
        return f"{layer} (NUMBA_THREADING_LAYER={wish})"
    missing = order[: order.index(layer)] if layer in order else []
    absent = f"; no {' or '.join(missing)} here" if missing else ""
    return f"{layer} (the first that loads of {', '.join(order)}{absent})"


def _one_parallel_loop(prange: Any) -> Any:
    def loop(crew: int, board: np.ndarray, scratch: np.ndarray) -> None:
        for member in prange(crew):
            scratch[member, 0] = member

    return loop


def _kernel_cache(numba: Any) -> Section:
    if numba is None:
        return {"compiled kernels": NEEDS_NUMBA}
    from convlab.kernels.parallel import direct

    paths = {str(value.stats.cache_path) for value in vars(direct).values() if _is_kernel(value)}
    folders = sorted(paths - {"None"})
    return {"compiled kernels": ", ".join(folders) or "kept in memory only: no folder to write to"}


def _is_kernel(value: object) -> bool:
    return hasattr(value, "py_func") and hasattr(value, "stats")


def _data_folder() -> str:
    folder = os.environ.get("CONVLAB_DATA")
    return f"{folder} (CONVLAB_DATA)" if folder else "CONVLAB_DATA is not set"
