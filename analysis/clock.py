"""Seconds per step of a build, and word to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str, float], None]  # step key (pipeline_step_*), share done 0-1


class Clock:
    """Seconds per step, and word to whoever watches."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._step: str | None = None
        self._since = 0.0
        self.seconds: dict[str, float] = {}

    def start(self, step: str) -> None:
        """End the step under way and begin another."""
        now = time.perf_counter()
        if self._step is not None:
            self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now
        if self._progress is not None:
            self._progress(step, 0.0)

    def stop(self) -> dict[str, float]:
        """End the last step and give all seconds, rounded to milliseconds."""
        if self._step is not None:
            self.start(self._step)
        return {step: round(seconds, 3) for step, seconds in self.seconds.items()}

    def within(self, parts: int) -> Callable[[str], None]:
        """Report one of `parts` done, each time it is called."""
        done = 0

        def advance(_: str) -> None:
            nonlocal done
            done += 1
            if self._progress is not None and self._step is not None:
                self._progress(self._step, done / parts)

        return advance
