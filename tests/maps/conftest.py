"""The browser that tests of maps share."""

from tests.pages.browser import browser

__all__ = ["browser"]
