"""A small issuer of accounts on loopback: real sockets, signed tokens, every way to be wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

CLIENT, SECRET = "lifecircle", "s3cret"
PEOPLE = {"sub": "u-17", "name": "王工", "groups": ["gis-planners"]}
Change = Callable[[dict[str, Any], dict[str, Any]], None]


class Issuer:
    """What the issuer holds: keys, codes that it gave, and how its next token is bent."""

    def __init__(self) -> None:
        self.address = ""
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
        self.signing: Any = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.people: dict[str, Any] = dict(PEOPLE)
        self.change: Change = lambda header, claims: None
        self.metadata: dict[str, Any] = {}
        self.asked: list[str] = []

    def log_in(self, address: str) -> str:
        """A person logs in at `address`: where their browser is sent back to, with a code."""
        asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?" + urlencode({"code": code, "state": asked["state"]})

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer of the token endpoint; None where anything is not as it was begun."""
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            asked is None
            or authorization != f"Basic {basic}"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        header = {"alg": "ES256", "kid": "k1"}
        claims = {
            "iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **self.people,
        }  # fmt: skip
        self.change(header, claims)
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self.written(header, claims),
        }

    def written(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        if header["alg"] == "none":
            parts = (json.dumps(one).encode() for one in (header, claims))
            return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts) + "."
        key = OctKey.import_key(SECRET * 8) if header["alg"] == "HS256" else self.signing
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that answers until the block ends."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                self.tell(
                    {
                        "issuer": issuer.address,
                        "authorization_endpoint": f"{issuer.address}/authorize",
                        "token_endpoint": f"{issuer.address}/token",
                        "jwks_uri": f"{issuer.address}/keys",
                        **issuer.metadata,
                    }
                )
            else:
                self.tell({"keys": [issuer.key.as_dict(private=False)]})

        def do_POST(self) -> None:
            issuer.asked.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: value for name, (value,) in parse_qs(body).items()}
            told = issuer.token(form, self.headers.get("authorization", ""))
            self.tell(told or {"error": "invalid_grant"}, 200 if told else 400)

        def tell(self, document: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
