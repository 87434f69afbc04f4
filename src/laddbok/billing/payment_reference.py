"""What does the customer write on the payment, so that it finds its invoice?

The invoice's number with a length digit and a check digit (OCR, "hard" check with length): the bank refuses a reference
with a digit wrong.

>>> ocr("20260001234")
'2026000123433'
>>> is_ocr("2026000123433"), is_ocr("2026000123434")
(True, False)
"""

from stdnum import luhn


def ocr(number: str) -> str:
    """The payment reference of a document's number (digits only, at most 23).

    Source: Bankgirot, OCR-referenskontroll: length digit second last (the total length modulo 10), last digit Luhn.
    """
    assert number.isdigit() and len(number) <= 23, number
    with_length = f"{number}{(len(number) + 2) % 10}"
    return with_length + luhn.calc_check_digit(with_length)


def is_ocr(text: str) -> bool:
    """Whether length and check digit of a reference are right."""
    return text.isdigit() and 4 <= len(text) <= 25 and int(text[-2]) == len(text) % 10 and luhn.is_valid(text)
