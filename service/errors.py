"""What goes wrong over HTTP, and the one table that gives it a status.

::

    LifecircleError                      lifecircle.analysis.errors
    └── ServiceError                     texts in service/messages
        ├── RequestError (ValueError)    the request cannot be understood       400
        ├── MissingError (LookupError)   nothing of that name here              404
        │   └── JobNotDoneError          a job without a result yet             404
        ├── UnauthorizedError            no key, or one that opens nothing      401
        │   └── AccountError             a login at an issuer that failed (a page of its own)
        ├── ForbiddenError               not for readers from other machines    403
        ├── ConflictError                changed by somebody else meanwhile     409
        ├── NotReadyError                the service is still starting, or full 503
        ├── UpstreamError                another server did not answer           502
        ├── TooManyError                 one reader asks for too much at once   429
        ├── DatabaseError                the service's own database             503
        ├── StorageError                 a disk that takes nothing more         503
        ├── TooLargeError                more is sent than is taken             413
        ├── JobError                     a job that ended without an answer     500
        ├── BackupError                  a backup that cannot be made or restored (command, exit 2)
        ├── SettingError                 settings that are not possible         (command, exit 2)
        └── ExposureError                settings that would open it to anyone  (command, exit 2)
"""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import Any, Final

from lifecircle.analysis.errors import (
    InputError,
    Language,
    LifecircleError,
    ParameterError,
    PolicyError,
    UnknownNameError,
    UnsolvedError,
    WorkspaceError,
)
from lifecircle.service import i18n

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class ServiceError(LifecircleError):
    """An error of the service itself; its text stands in ``service/messages``."""

    def text(self, lang: Language = "en") -> str:
        """The error as a sentence in a language."""
        return i18n.text(self.key, lang, **self.params)


class RequestError(ServiceError, ValueError):
    """A request that cannot be understood; `parameter` names the culprit."""


class MissingError(ServiceError, LookupError):
    """No page, collection, item or file of that name."""


class UnauthorizedError(ServiceError):
    """A request without a key where one is needed, or with one that opens nothing."""


class AccountError(UnauthorizedError):
    """A login with an account of an OpenID issuer that came to nothing."""


class DatabaseError(ServiceError):
    """The service's own database cannot be used."""


class StorageError(ServiceError):
    """The disk of the service is full, or takes nothing."""


def storage_fault(fault: BaseException) -> StorageError | None:
    """What is told of a disk that is full or takes nothing; None where it is another fault."""
    if not isinstance(fault, OSError) or fault.errno not in _FULL:
        return None
    return StorageError("nothing_written", reason=fault.strerror or "OSError")


class ForbiddenError(ServiceError):
    """Something that only this machine may ask for."""


class ConflictError(ServiceError):
    """What was to be changed is no longer as it was read."""


class NotReadyError(ServiceError):
    """The service has started but cannot answer yet."""


class UpstreamError(ServiceError):
    """Another server, asked on behalf of a reader, did not answer as it should."""


class TooManyError(ServiceError):
    """Whoever asks has too much under way already; later there is room again."""


class TooLargeError(ServiceError):
    """More is sent than is taken."""


class JobNotDoneError(MissingError):
    """A job that has no result yet."""


class JobError(ServiceError, RuntimeError):
    """A job that ended without an answer."""


class BackupError(ServiceError):
    """A backup that cannot be made, or not be restored."""


class BatchError(ServiceError, ValueError):
    """A batch that cannot be begun: its file, its files, its runner."""


class BatchUnfinishedError(ServiceError, RuntimeError):
    """A batch of which not every city was built."""

    exit_code = 3


class SettingError(ServiceError):
    """Settings that are not possible on this machine."""


class ExposureError(ServiceError):
    """Settings that would show the data to the network without anyone having said so."""


STATUS: Final[tuple[tuple[type[LifecircleError], HTTPStatus], ...]] = (
    (RequestError, HTTPStatus.BAD_REQUEST),
    (MissingError, HTTPStatus.NOT_FOUND),
    (UnauthorizedError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (ConflictError, HTTPStatus.CONFLICT),
    (DatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageError, HTTPStatus.SERVICE_UNAVAILABLE),
    (NotReadyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (UpstreamError, HTTPStatus.BAD_GATEWAY),
    (TooManyError, HTTPStatus.TOO_MANY_REQUESTS),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ParameterError, HTTPStatus.BAD_REQUEST),
    (InputError, HTTPStatus.BAD_REQUEST),
    (UnknownNameError, HTTPStatus.NOT_FOUND),
    (UnsolvedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PolicyError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (WorkspaceError, HTTPStatus.SERVICE_UNAVAILABLE),
)


_OGC: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
OGC_TYPES: Final = {
    "no_process": f"{_OGC}no-such-process",
    "no_job": f"{_OGC}no-such-job",
    "job_not_done": f"{_OGC}result-not-ready",
}  # problems whose type a standard names


def status_of(error: LifecircleError) -> HTTPStatus:
    """The HTTP status of an error of the family."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), HTTPStatus(500))


def problem(status: int, key: str, detail: str, lang: Language, **members: Any) -> dict[str, Any]:
    """An RFC 9457 problem document: the key for programs, title and detail for people."""
    return {
        "type": OGC_TYPES.get(key, f"urn:lifecircle:problem:{key}"),
        "title": i18n.text(f"status_{int(status)}", lang),
        "status": int(status),
        "detail": detail,
        "key": key,
        "lang": lang,
        **members,
    }


def problem_of(error: LifecircleError, lang: Language) -> dict[str, Any]:
    """The problem document of an error of the family, with every fault of a bad input."""
    members: dict[str, Any] = {}
    if isinstance(error, InputError):
        members["faults"] = [
            {"key": f.key, "row": f.row, "column": f.column, "text": f.text(lang)}
            for f in error.faults
        ]
    return problem(status_of(error), error.key, error.text(lang), lang, **members)
