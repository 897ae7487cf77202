"""A run as a report: a page to print that opens without internet, and a workbook.

::

    run ──► catalog.report_document ──► report_page (HTML, inline SVG)
                                  └───► report_workbook (xlsx bytes)

Both are the same bytes for the same run: nothing in them tells the time but the run's own stamp.
"""

from lifecircle.service.report.page import report_page
from lifecircle.service.report.workbook import report_workbook

__all__ = ["report_page", "report_workbook"]
