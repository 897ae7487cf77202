"""Compiled functions (numba) that load from numba's cache without what only compiling needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from numba import njit
from numba.core import caching
from numba.core.runtime.nrt import rtsys

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])
_Cache: Any = caching.FunctionCache  # numba tells no types of it


def kernel(function: _Kernel) -> Dispatcher[_Kernel]:
    """A function compiled when it is first called, kept on disk, that leaves Python's lock.

    Loading one that is kept takes numba no typing and lowering of all that it knows, which cost a
    process a quarter of a second.
    """
    compiled: Any = njit(nogil=True)(function)
    if hasattr(compiled, "enable_caching"):  # else NUMBA_DISABLE_JIT is set
        compiled._cache = _KeptCache(function)
    return compiled  # type: ignore[no-any-return]


class _KeptCache(_Cache):  # type: ignore[misc]
    """Numba's cache, which has a context know everything before it looks whether that is needed.

    The compiler does so itself where nothing is kept.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The function kept for a signature, None where there is none."""
        rtsys.initialize(target_context)  # what kept functions allocate with
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)
