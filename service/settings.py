"""How a service runs: one frozen object, given to `create_app`, never read at import."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from lifecircle.analysis.errors import Language
from lifecircle.service.errors import ExposureError, SettingError
from lifecircle.service.observing.logs import LogFormat

PREFIX: Final = "LIFECIRCLE_"
FROM_ENVIRONMENT: Final = (
    "workspace", "host", "port", "public_read", "behind_proxy", "allowed_hosts", "base_url",
    "language", "log", "database", "session_hours", "workers",
    "requests_per_minute", "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_scope",
    "oidc_role_claim", "oidc_roles", "tianditu_key", "tianditu_review_number",
)  # fmt: skip
SECRETS: Final = frozenset({"oidc_client_secret", "tianditu_key"})  # shown nowhere
LISTS: Final = ("allowed_hosts", "oidc_roles")  # with commas between, in a variable
# what the claim of roles may hold (``*``: every account), and the role that follows from it
GivenRole = Annotated[str, Field(pattern=r"^[^=]+=(viewer|reviewer|planner|admin)$")]


class Settings(BaseModel):
    """Everything a service can be told.

    `base_url` is the address people use when a proxy stands in front; without it links follow
    the request. The limits guard the service, they are no judgements about walking. `oidc_*`: an
    issuer of accounts (`accounts.py`); off without `oidc_issuer`. `tianditu_*`: tiles handed on
    (`tianditu.py`); off without `tianditu_key`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workspace: Path = Path("workspace")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    public_read: bool = False
    behind_proxy: bool = False
    database: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    workers: int = Field(default=1, ge=1, le=64)
    requests_per_minute: int | None = Field(default=6_000, ge=1)
    session_hours: float = Field(default=12.0, gt=0, le=24 * 90)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_scope: str = Field(default="openid profile", pattern=r"^openid( [!#-\[\]-~]+)*$")
    oidc_role_claim: str = Field(default="groups", min_length=1)
    oidc_roles: tuple[GivenRole, ...] = ()
    tianditu_key: SecretStr | None = Field(default=None, min_length=8, max_length=128)
    tianditu_review_number: str | None = Field(default=None, min_length=1, max_length=60)
    language: Language = "zh"
    log: LogFormat = "text"
    max_body_bytes: int = Field(default=1_000_000, ge=0)
    max_upload_bytes: int = Field(default=20_000_000, ge=0)
    max_unpacked_bytes: int = Field(default=200_000_000, ge=0)
    check_seconds: float = Field(default=60.0, gt=0)
    check_memory_bytes: int = Field(default=2 * 2**30, ge=2**26)
    checks_at_once: int = Field(default=2, ge=1)
    page_size: int = Field(default=1_000, ge=1)
    max_page_size: int = Field(default=10_000, ge=1)
    max_minutes: float = Field(default=180.0, gt=0)
    max_isochrones: int = Field(default=6, ge=1)
    open_runs: int = Field(default=8, ge=1)
    cache_bytes: int = Field(default=64 * 2**20, ge=0)
    dear_at_once: int = Field(default=2, ge=1)
    dear_wait_seconds: float = Field(default=30.0, ge=0)
    kept_file_bytes: int = Field(default=512 * 2**20, ge=0)
    page_patience_seconds: float = Field(default=0.6, ge=0)
    dear_apart: bool = True
    dear_seconds: float = Field(default=120.0, gt=0)
    dear_memory_bytes: int = Field(default=4 * 2**30, ge=2**28)
    jobs_at_once: int = Field(default=1, ge=1)
    jobs_live: int = Field(default=30, ge=1)
    jobs_per_key: int = Field(default=10, ge=1)
    job_minutes: float = Field(default=120.0, gt=0)
    job_memory_bytes: int = Field(default=8 * 2**30, ge=2**28)
    job_file_bytes: int = Field(default=8 * 2**30, ge=2**20)
    job_days: int = Field(default=30, ge=1)
    upload_bytes: int = Field(default=500_000_000, ge=0)
    inbox_bytes: int = Field(default=4_000_000_000, ge=0)
    inbox_bytes_per_key: int = Field(default=2_000_000_000, ge=0)
    inbox_files: int = Field(default=200, ge=1)


def settings_from(environment: Mapping[str, str], **given: Any) -> Settings:
    """Settings from ``LIFECIRCLE_*`` variables, overruled by what was `given` (None = not).

    Raises
    ------
    SettingError
        A setting is not possible; all of them are named at once.
    """
    told: dict[str, Any] = {
        name: environment[PREFIX + name.upper()]
        for name in FROM_ENVIRONMENT
        if environment.get(PREFIX + name.upper())
    }
    told |= {name: _listed(told[name]) for name in LISTS if name in told}
    told.update({name: value for name, value in given.items() if value is not None})
    try:
        return Settings(**told)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} = {_shown(fault)} ({fault['msg']})"
            for fault in error.errors()
        )
        raise SettingError("setting_impossible", wrong=wrong) from None


def _shown(fault: Any) -> Any:
    return "***" if SECRETS & set(fault["loc"]) else fault["input"]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a service that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings, *, keys: bool = False) -> None:
    """Refuse to listen beyond this machine unless that was said out loud or there are `keys`.

    Raises
    ------
    ExposureError
        The host is not loopback, `public_read` is not set, and no key opens anything.
    """
    if not is_loopback(settings.host) and not settings.public_read and not keys:
        raise ExposureError("exposure", host=settings.host)


def check_port(settings: Settings) -> None:
    """Refuse an address that cannot be listened on, before anything says it is served.

    Raises
    ------
    SettingError
        The port is taken, needs other rights, or the host is not of this machine.
    """
    told = {"host": settings.host, "port": settings.port}
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise SettingError("port_taken", reason=error.strerror or str(error), **told) from None
