"""The browser and the served tiny city that tests of maps share."""

from __future__ import annotations

from tests.pages.browser import browser
from tests.pages.served import host

__all__ = ["browser", "host"]
