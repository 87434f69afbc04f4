"""Are the numbers and addresses of a seller or a customer such as the law, the bank and e-invoices can use?

Numbers are checked by their check digits and kept as digits only; each complaint names its field.

>>> organisation_number("556036-0793", "SE")
'5560360793'
>>> organisation_number("556036-0794", "SE")
Traceback (most recent call last):
laddbok.model.errors.Invalid: organisation_number: its check digit is wrong
"""

import re

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum import luhn
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from laddbok.model.errors import Invalid

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_EU = frozenset(eu_vat.MEMBER_STATES)


def organisation_number(text: str | None, country: str) -> str | None:
    """A Swedish number as ten digits; another country's as it is written.

    Raises: Invalid. Source: SFS 1974:174 (organisationsnummer); ten digits, the last by Luhn's rule.
    """
    typed = _typed(text)
    if typed is None or country != "SE":
        return typed
    digits = re.sub(r"[\s-]", "", typed)
    if not re.fullmatch(r"\d{10}|\d{12}", digits, re.ASCII):
        raise Invalid("organisation_number", "must have ten digits")
    digits = digits[-10:]
    if not luhn.is_valid(digits):
        raise Invalid("organisation_number", "its check digit is wrong")
    return digits


def vat_number(text: str | None) -> str | None:
    """A VAT number of the European Union without blanks.

    >>> vat_number("SE 556036079301")
    'SE556036079301'

    Raises: Invalid. Source: directive 2006/112/EC art. 215.
    """
    typed = _typed(text)
    if typed is None:
        return None
    number = re.sub(r"[\s.-]", "", typed).upper()
    if not re.fullmatch(r"[A-Z]{2}\w{2,13}", number, re.ASCII):
        raise Invalid("vat_number", "begins with two letters of a country, such as SE556036079301")
    if number[:2].lower() in _EU:
        _ask("vat_number", eu_vat.validate, number)
    return number


def bankgiro(text: str | None) -> str | None:
    """A bankgiro number with its hyphen.

    >>> bankgiro("9912346")
    '991-2346'

    Raises: Invalid. Source: Bankgirot, Technical Manual: 7 or 8 digits, the last by Luhn's rule.
    """
    typed = _typed(text)
    if typed is None:
        return None
    digits = re.sub(r"[\s-]", "", typed)
    if not re.fullmatch(r"\d{7,8}", digits, re.ASCII):
        raise Invalid("bankgiro", "has 7 or 8 digits")
    if not luhn.is_valid(digits):
        raise Invalid("bankgiro", "its check digit is wrong")
    return f"{digits[:-4]}-{digits[-4:]}"


def iban(text: str | None) -> str | None:
    """An account number without blanks. Raises: Invalid. Source: ISO 13616."""
    typed = _typed(text)
    return None if typed is None else _ask("iban", ibans.validate, typed)


def bic(text: str | None) -> str | None:
    """A bank's code. Raises: Invalid. Source: ISO 9362."""
    typed = _typed(text)
    return None if typed is None else _ask("bic", bics.validate, typed)


def email(text: str | None) -> str | None:
    """An address with one @. Raises: Invalid. Source: our choice; only a mail that arrives proves more."""
    typed = _typed(text)
    if typed is not None and not _EMAIL.fullmatch(typed):
        raise Invalid("email", "is not an address such as name@example.com")
    return typed


def endpoint(scheme: str | None, at: str | None) -> tuple[str | None, str | None]:
    """Where e-invoices go: both parts or neither.

    Raises: Invalid. Source: EN 16931 BT-34, BT-49; scheme: the four digits of the EAS code list.
    """
    scheme, at = _typed(scheme), _typed(at)
    if (scheme is None) != (at is None):
        raise Invalid("endpoint_id" if at is None else "endpoint_scheme", "is missing beside the other part")
    if scheme is not None and not re.fullmatch(r"\d{4}|[A-Z]{2}", scheme, re.ASCII):
        raise Invalid("endpoint_scheme", "has four digits, such as 0007")
    if scheme == "0007" and at is not None:
        return scheme, re.sub(r"[\s-]", "", at)
    return scheme, at


def _typed(text: str | None) -> str | None:
    return (text or "").strip() or None


def _ask(field: str, validate: object, number: str) -> str:
    try:
        return str(validate(number))  # type: ignore[operator]
    except ValidationError as error:
        raise Invalid(field, str(error)[:1].lower() + str(error)[1:].rstrip(".")) from error
