"""Logs for whoever runs the service: one line an event, with time, level and request id.

Nothing is set up at import; `log_config` is handed to the server by ``lifecircle serve``.
"""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

LogFormat = Literal["text", "json"]
ACCESS: Final = "lifecircle.access"
request_id: ContextVar[str] = ContextVar("request_id", default="-")
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line of the log says: time (UTC), level, logger, request id, message, extras."""
    moment = datetime.fromtimestamp(record.created, UTC)
    told: dict[str, Any] = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "request": request_id.get(),  # what a record says itself stands over it
        "message": record.getMessage(),
    }
    return told | {name: value for name, value in vars(record).items() if name not in _OWN}


class JsonLines(logging.Formatter):
    """One JSON object a line; a traceback is a member of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = fields_of(record)
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(told, default=str).decode()


class TextLines(logging.Formatter):
    """``time level logger [request] message name=value ...``, then a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; signs that would start another line are written as escapes."""
        told = fields_of(record)
        head = [told.pop(name) for name in ("time", "level", "logger")]
        asked, said = told.pop("request"), told.pop("message")
        more = [f"{name}={value}" for name, value in told.items()]
        line = _on_one_line(" ".join([*head, f"[{asked}]", said, *more]))
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _on_one_line(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


class Lines(logging.StreamHandler[Any]):
    """Writes to standard error; a request's line, of which there are most, without a record."""

    _second, _told = 0, ""

    def write_access(self, said: str, told: dict[str, Any]) -> None:
        """One line of the access log: what `fields_of` tells of its record; `told` its extras."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        moment = f"{self._told}.{int((now - second) * 1000):03d}Z"
        if isinstance(self.formatter, JsonLines):
            head = {"time": moment, "level": "INFO", "logger": ACCESS}
            asked = {"request": told.pop("request"), "message": said}
            line = orjson.dumps(head | asked | told).decode()
        else:
            asked = told.pop("request")
            more = " ".join([f"{name}={value}" for name, value in told.items()])
            line = _on_one_line(f"{moment} INFO {ACCESS} [{asked}] {said} {more}")
        # as of a record: nobody's request fails because its line cannot be written
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            self.stream.write(line + self.terminator)


def access_lines() -> Lines | None:
    """Where lines of the access log go, if it is one place of ours and nobody else listens."""
    root, one = logging.root.handlers, logging.getLogger(ACCESS)
    if len(root) == 1 and isinstance(root[0], Lines) and not one.handlers and one.propagate:
        return root[0]
    return None


def log_config(form: LogFormat) -> dict[str, Any]:
    """A configuration for `logging.config`: everything from INFO on, to standard error."""
    lines = JsonLines if form == "json" else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": lines}},
        "handlers": {"out": {"class": f"{__name__}.Lines", "formatter": "lines"}},
        "root": {"handlers": ["out"], "level": "WARNING"},
        "loggers": {"lifecircle": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
    }


def write_quickly() -> None:
    """Leave out of each record what no line of ours tells: threads, processes, places in code.

    For a process that serves; source: the part *Optimization* of Python's logging HOWTO.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
