"""A bureau's own accounts: OpenID Connect, the code flow with PKCE, by the library Authlib.

What one login needs (state, nonce, code verifier) follows from a seed that the browser keeps for
ten minutes in a cookie of its own, so every worker can finish what another began and nothing is
stored. Of the answer all is checked before a role follows from it: the state, who gave it, its
signature (by published keys alone: never ``none``, never the client's secret), audience, times,
nonce. Authlib comes with the extra ``oidc`` and is imported where it is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from anyio import CapacityLimiter

from lifecircle.service.errors import AccountError, SettingError
from lifecircle.service.settings import Settings, is_loopback

_log: Final = logging.getLogger("lifecircle.accounts")

CALLBACK: Final = "/login/oidc/callback"
BEGIN: Final = "/login/oidc"
END: Final = "/login/oidc/end"
PATIENCE_S: Final = 10.0  # for one answer of the issuer
KEPT_S: Final = 3_600.0  # how long what the issuer tells of itself is believed
ASKED_AGAIN_S: Final = 5.0  # between two looks for keys that are not known
AT_ONCE: Final = 4  # who waits for an issuer that is down leaves threads to all others
LEEWAY_S: Final = 60
LONGEST_CODE: Final = 4_000
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
ROLES: Final = ("viewer", "reviewer", "planner", "admin")  # as keys have them
NAMES: Final = ("name", "preferred_username", "email", "sub")
_SEED: Final = re.compile(r"[\w-]{43}", re.ASCII)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Account:
    """Who logged in at the issuer: SHA-256 of issuer and subject, their name, their role here."""

    digest: bytes
    name: str
    role: str


class Accounts:
    """The accounts of one issuer; raises `SettingError` where the settings do not suffice.

    `at_once`: for the threads in which the issuer is waited for.
    """

    def __init__(self, settings: Settings) -> None:
        _check(settings)
        self.issuer = str(settings.oidc_issuer)
        self.base_url = str(settings.base_url).rstrip("/")
        self._settings = settings
        self.at_once = CapacityLimiter(AT_ONCE)
        self._lock = Lock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, Any] | None = None
        self._looked = -ASKED_AGAIN_S  # when a key that was not known was last asked for

    @property
    def redirect_uri(self) -> str:
        """Where the issuer sends a browser back to: this address exactly, whatever was asked."""
        return self.base_url + CALLBACK

    def begin(self) -> tuple[str, str]:
        """Where a browser is to log in, and the seed that it keeps meanwhile.

        Raises
        ------
        AccountError : the issuer does not answer as one.
        """
        seed = secrets.token_urlsafe(32)
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._address("authorization_endpoint"),
                state=_of(seed, "state"),
                nonce=_of(seed, "nonce"),
                code_verifier=_of(seed, "verifier"),
            )
        return str(address), seed

    def finish(self, seed: str | None, answer: Mapping[str, str]) -> Account:
        """Whose account the issuer's `answer` is about.

        Raises
        ------
        AccountError : it is no answer to what this browser began, it is not the issuer's, the
            issuer refused, or the account has no role here.
        """
        state = answer.get("state", "")
        if seed is None or _SEED.fullmatch(seed) is None:
            raise AccountError("account_too_late")
        if not hmac.compare_digest(state.encode(), _of(seed, "state").encode()):
            raise AccountError("account_too_late")
        if not self._is_from_issuer(answer.get("iss")):
            raise self._no_answer("iss of the answer")
        if "error" in answer:
            raise AccountError("account_refused", reason=_plain(answer["error"])[:100])
        code = answer.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise self._no_answer("no code")
        claims = self._claims(self._token(code, _of(seed, "verifier")), _of(seed, "nonce"))
        told = next((claims[name] for name in NAMES if isinstance(claims.get(name), str)), "")
        name = _plain(told).strip()[:200] or "?"
        whose = f"{self.issuer}\n{claims['sub']}".encode()
        return Account(hashlib.sha256(whose).digest(), name, self._role(claims, name))

    def end(self) -> str:
        """Where a browser ends its session at the issuer too, who then sends it back to `/login`.

        The issuer asks whoever it is first: the ID token, which would spare that, is not kept.

        Raises
        ------
        AccountError : the issuer does not answer as one, or ends no sessions.
        """
        told = {
            "client_id": str(self._settings.oidc_client_id),
            "post_logout_redirect_uri": f"{self.base_url}/login",
        }
        address = self._address("end_session_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(told)}"

    def ends_sessions(self) -> bool:
        """Whether the issuer was heard to end sessions (it is not asked for it)."""
        return self._metadata is not None and "end_session_endpoint" in self._metadata[1]

    def _is_from_issuer(self, told: str | None) -> bool:
        """Whether an answer says to be the issuer's; one that always says so has to (RFC 9207)."""
        if told is None:
            return not self._told().get("authorization_response_iss_parameter_supported")
        return told == self.issuer

    def _token(self, code: str, verifier: str) -> Mapping[str, Any]:
        address = self._address("token_endpoint")
        try:
            with self._client() as client:
                told: Mapping[str, Any] = client.fetch_token(
                    address,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=self.redirect_uri,
                    timeout=PATIENCE_S,
                    allow_redirects=False,
                )
        except Exception as fault:  # Authlib's own, those of requests, and of what is no JSON
            raise self._no_answer("token", fault) from fault
        return told

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken

        written = token.get("id_token")
        if not isinstance(written, str):
            raise self._no_answer("no id_token")
        try:
            read = self._signed(written)
            wanted = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
            }
            params = {
                "nonce": nonce,
                "client_id": self._settings.oidc_client_id,
                "access_token": token.get("access_token"),
            }
            claims = CodeIDToken(read.claims, read.header, wanted, params)
            claims.validate(leeway=LEEWAY_S)
        except AccountError:
            raise
        except Exception as fault:  # of many kinds; whatever it is, nobody is let in
            raise self._no_answer("id_token", fault) from fault
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise self._no_answer("sub")
        return dict(claims)

    def _signed(self, written: str) -> Any:
        """A token whose signature is right; keys not known yet are asked for once more.

        However many tokens name unknown keys, the issuer is asked once in `ASKED_AGAIN_S`.
        """
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError

        offered = self._told().get("id_token_signing_alg_values_supported")
        algorithms = [one for one in ALGORITHMS if not offered or one in offered]
        try:
            return jwt.decode(written, self._key_set(), algorithms=algorithms)
        except InvalidKeyIdError:
            return jwt.decode(written, self._key_set(again=True), algorithms=algorithms)

    def _role(self, claims: Mapping[str, Any], name: str) -> str:
        held = _held(claims, self._settings.oidc_role_claim)
        given = dict(one.rsplit("=", 1) for one in reversed(self._settings.oidc_roles))
        found = {given[one] for one in (*held, "*") if one in given}
        if not found:
            raise AccountError("account_no_role", name=name)
        return max(found, key=ROLES.index)

    def _told(self) -> dict[str, Any]:
        """What the issuer tells of itself."""
        with self._lock:
            if self._metadata is None or monotonic() - self._metadata[0] > KEPT_S:
                told = self._fetched(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if told.get("issuer") != self.issuer:
                    raise self._no_answer("issuer of its metadata")
                self._metadata = (monotonic(), told)
            return self._metadata[1]

    def _key_set(self, *, again: bool = False) -> Any:
        """The issuer's keys; `again`: one was not among them."""
        from joserfc.jwk import KeySet

        address = self._address("jwks_uri")
        with self._lock:
            now = monotonic()
            wanted = self._keys is None or now - self._keys[0] > KEPT_S
            if again and now - self._looked >= ASKED_AGAIN_S:
                self._looked, wanted = now, True
            if self._keys is None or wanted:
                told: Any = self._fetched(address)
                self._keys = (now, KeySet.import_key_set(told))
            return self._keys[1]

    def _address(self, name: str) -> str:
        found = self._told().get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise self._no_answer(name)
        return found

    def _fetched(self, address: str) -> dict[str, Any]:
        import requests

        try:
            answer = requests.get(address, timeout=PATIENCE_S, allow_redirects=False)
            answer.raise_for_status()
            told = answer.json()
        except requests.RequestException as fault:
            raise self._no_answer(address, fault) from fault
        if answer.status_code != requests.codes.ok or not isinstance(told, dict):
            raise self._no_answer(address)
        return told

    def _client(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self._settings.oidc_client_secret
        return OAuth2Session(
            self._settings.oidc_client_id,
            None if secret is None else secret.get_secret_value(),
            token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
            scope=self._settings.oidc_scope,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _no_answer(self, what: str, fault: Exception | None = None) -> AccountError:
        """The refusal; the reason goes to the log, not to whoever tries."""
        _log.warning("oidc: %s: %s", what, "refused" if fault is None else repr(fault))
        return AccountError("account_no_answer")


def accounts_of(settings: Settings) -> Accounts | None:
    """The accounts that the settings name; None where they name none."""
    return Accounts(settings) if settings.oidc_issuer is not None else None


def is_safe(address: str) -> bool:
    """Whether an address of the issuer can be trusted: by TLS, or on this machine."""
    parts = urlsplit(address)
    near = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return near or (parts.scheme == "https" and bool(parts.hostname))


def _check(settings: Settings) -> None:
    missing = [
        name for name in ("oidc_client_id", "base_url", "oidc_roles") if not getattr(settings, name)
    ]
    if missing:
        raise SettingError("oidc_setting_missing", names=missing)
    if not is_safe(str(settings.oidc_issuer)):
        raise SettingError("oidc_issuer_open", issuer=settings.oidc_issuer)
    try:
        import authlib  # noqa: F401
    except ImportError:
        raise SettingError("oidc_package_missing") from None


def _of(seed: str, purpose: str) -> str:
    """What follows from a seed for one purpose: 64 hexadecimal digits."""
    return hmac.new(seed.encode(), f"lifecircle {purpose}".encode(), hashlib.sha256).hexdigest()


def _held(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The words of a claim; ``realm_access.roles`` is the claim `roles` inside another."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    words = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(word for word in words if isinstance(word, str) and word != "*")


def _plain(text: str) -> str:
    return _UNSEEN.sub(" ", text)
