"""What do all OCPP messages have in common?

What we receive is read leniently: every field may be absent, words are not checked, and what we don't know is passed
over; the decoder of an action insists on what it needs. What we send is strict: the schema's own required fields,
words and lengths, and nothing else.
"""

from decimal import Decimal
from typing import Annotated

import msgspec

MAX_VENDOR_ID_CHARS = 255

Instant = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
    ),
]
"""An instant as the schemas want it. Source: RFC 3339, 5.6."""

Uri = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$")]
"""An absolute address with its scheme. Source: RFC 3986, 3."""


class Received(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel"):
    """A message, or a part of one, from a station."""


class Sent(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """A message, or a part of one, for a station."""


class SentExtensible(Sent, frozen=True):
    """A message that may carry a vendor's own data. Source: OCPP 2.0.1 Part 2, CustomDataType."""

    custom_data: dict[str, object] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Raises: ValueError when the custom data don't say whose they are."""
        if self.custom_data is msgspec.UNSET:
            return
        vendor_id = self.custom_data.get("vendorId")
        if not isinstance(vendor_id, str) or len(vendor_id) > MAX_VENDOR_ID_CHARS:
            raise ValueError("customData needs a vendorId of at most 255 characters")


def require_multiple(value: Decimal | msgspec.UnsetType, step: Decimal, field: str) -> None:
    """Raises: ValueError when the value is set and is not a whole number of steps."""
    if value is not msgspec.UNSET and value % step:
        raise ValueError(f"{field} {value} is not a multiple of {step}")
