"""The short way in: a question asked before, by somebody known to be let in, is answered at once.

`Front` knows what the layers behind it found out: names of ours that were asked for, keys that
were looked up within the last seconds, answers kept. Where any of them would have to do more than
look, it answers nothing, and the request takes the long way through all of them, which refuses,
looks up and works out. So nothing is given here that they would not give.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from lifecircle.service.database.keys import Key
from lifecircle.service.edge.hosts import Names
from lifecircle.service.edge.kept import Entry, Given, Shelf, asked_of, key_of, takes_gzip
from lifecircle.service.edge.keys import Known, lets_in
from lifecircle.service.edge.limits import KeyLimit
from lifecircle.service.edge.places import PLACE, answer_place
from lifecircle.service.edge.requests import ID_HEADER, identity_of, note
from lifecircle.service.settings import Settings
from lifecircle.service.state import Areas

LOOKED: Final = "lifecircle.looked"  # in the scope of a request: nothing is kept for it


class Front:
    """Answers what all layers would let through and what is kept."""

    def __init__(
        self,
        settings: Settings,
        names: Names,
        keys: Known,
        limit: KeyLimit,
        shelf: Shelf,
        areas: Areas,
    ) -> None:
        self._settings = settings
        self._names = names
        self._keys = keys
        self._limit = limit
        self._shelf = shelf
        self._areas = areas

    def find(self, scope: Scope, asked: dict[bytes, bytes]) -> Given | None:
        """The answer, where there is one without any work, or next to none.

        `asked` are the headers of the request (`kept.asked_of`).
        """
        if not self._names.known(asked.get(b"host", b"").decode("latin-1")):
            return None
        entry = self._shelf.find(key_of(scope, asked))
        if entry is None and not scope["path"].endswith(PLACE):
            return None
        who = lets_in(scope, asked, self._settings, self._keys)
        given = None if who is False else self._given(scope, asked, entry)
        if given is not None and isinstance(who, Key) and self._limit.wait_s(who.id):
            return None
        return given

    def _given(self, scope: Scope, asked: dict[bytes, bytes], entry: Entry | None) -> Given | None:
        if entry is None:
            small = asked.get(b"accept-encoding")
            if small is not None and takes_gzip(small):
                return None
            return answer_place(scope, asked, self._areas, self._settings.language)
        squeezed = entry.wants_gzip(asked)
        if squeezed and not entry.squeezed:
            return None
        return entry.given(asked, squeezed)


class Service(FastAPI):
    """The application, with the short way in before its layers where `front` was set."""

    front: Front | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once what is kept, else pass the request on."""
        front = self.front
        plain = scope["type"] == "http" and scope["method"] == "GET" and LOOKED not in scope
        if front is None or not plain:
            await super().__call__(scope, receive, send)
            return
        began = perf_counter()
        given = front.find(scope, asked_of(scope))
        if given is None:
            await super().__call__(scope, receive, send)
            return
        identity, body = identity_of(scope), given.body
        headers = [*given.headers, (ID_HEADER, identity.encode("latin-1"))]
        await send({"type": "http.response.start", "status": given.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        note(self.state.metrics, scope, identity, given.status, len(body), began)
