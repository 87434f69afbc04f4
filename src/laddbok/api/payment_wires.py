"""What of banks and providers does the API use?

It does not talk to them: it reads a file of a bank, or of a central bank, that is posted to it, and it verifies a provider's callback before a job
asks the provider itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from laddbok.model.exchange import DailyRate
from laddbok.model.payment import BankFile


@dataclass(frozen=True)
class PaymentWires:
    """Functions of the rim that the app hands in."""

    read_bank_file: Callable[[bytes], BankFile]
    read_callback: Callable[[str, Mapping[str, str], bytes], str]
    """The reference that a callback is about: provider, headers, body. Raises: Invalid, NotFound."""
    read_rates: Callable[[bytes], list[DailyRate]]
    """The exchange rates in a central bank's file. Raises: Invalid."""
    providers: frozenset[str] = frozenset()
    """The names of the providers that are set up."""
