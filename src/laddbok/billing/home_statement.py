"""How does an employee show the employer what charging at home cost?

One line per session: when, which, kWh, the price of that day, the amount; the sum is what is paid back. It is no invoice, and
there is no VAT on it.
"""

from laddbok.billing.list_page import ListHead, home_page
from laddbok.billing.pdf import typeset
from laddbok.model.refund import Refund


def home_pdf(refund: Refund, head: ListHead, driver: str, time_zone: str) -> bytes:
    """The statement as a PDF. Args: time_zone, of the home.

    Source: our choice, docs/rules.md "Home charging".
    """
    return typeset("list", home_page(refund, head, driver, time_zone))
