"""The browser that tests of reports share."""

from tests.pages.browser import browser

__all__ = ["browser"]
