"""Which payments does a bank's file tell of?

Banks tell of payments in camt.054 (what was credited or debited, with details) and camt.053 (the account statement), in any
version of either. An entry is one line of the account; it may hold a batch of payments, each with its own details, which
must come to the entry. A file is read whole before anything of it is used: what can't be read, or contradicts itself, is
refused by name.

An entry has the bank's own reference; where two files tell of the same entry, as statement and notification do, it is known
again by that, its date and its amount, for the one may name the bankgiro and the other the account behind it. One without a
reference is known by all that it says. Where the two give references of their own, its marks tell (billing.same_entry).
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

from laddbok.model.errors import Invalid
from laddbok.model.money import minor_digits
from laddbok.model.payment import BANK, BankEntry, BankFile, Payment, Remitted
from laddbok.wires.bank_charges import are_taken_off, charges, is_fee, shared_out
from laddbok.wires.bank_xml import Place, root_of

NOTIFICATIONS = {"BkToCstmrDbtCdtNtfctn": "Ntfctn", "BkToCstmrStmt": "Stmt"}
KINDS = {"BkToCstmrDbtCdtNtfctn": "camt.054", "BkToCstmrStmt": "camt.053"}
"""Source: ISO 20022, camt.054 and camt.053."""
MAX_TEXTS = 40
_NOTHING = Decimal(0)


def read_bank_file(xml: bytes) -> BankFile:
    """The entries of a camt.054 or camt.053 file, with their payments.

    Returns: pending entries too; amounts above 0 came in, below 0 went out.
    Raises: Invalid, with the path of the element: no such file, cut off, with a DTD, not adding up.
    Source: ISO 20022 camt.054.001.02 to .08 and camt.053.001.02 to .08; docs/rules.md "Bank files"; case B55.
    """
    document = Place(root_of(xml), "Document")
    kind = next((name for name in NOTIFICATIONS if document.first(name)), None)
    if document.name != "Document" or kind is None:
        raise Invalid("file", "is neither camt.054 nor camt.053")
    told = document.the(kind)
    message_id = told.the("GrpHdr").words("MsgId")
    if message_id is None:
        raise Invalid(f"{told.path}/GrpHdr/MsgId", "is missing")
    statements = list(told.all(NOTIFICATIONS[kind]))
    if not statements:
        raise Invalid(f"{told.path}/{NOTIFICATIONS[kind]}", "is missing")
    seen: Counter[str] = Counter()
    entries = tuple(entry for each in statements for entry in _statement(each, seen))
    return BankFile(message_id=message_id, kind=KINDS[kind], entries=entries)


def _statement(statement: Place, seen: "Counter[str]") -> Iterator[BankEntry]:
    account = statement.the("Acct").words("Id/IBAN", "Id/Othr/Id")
    if account is None:
        raise Invalid(f"{statement.path}/Acct/Id", "is missing")
    account = plain_account(account)
    entries = [_entry(each, account, seen) for each in statement.all("Ntry")]
    _check_summary(statement, entries)
    _check_balances(statement, entries)
    yield from entries


def plain_account(text: str) -> str:
    """An account's number without blanks and dashes, as it is compared.

    >>> plain_account("991-2346"), plain_account("se45 5000 0000 0583 9825 7466")
    ('9912346', 'SE4550000000058398257466')
    """
    return text.replace(" ", "").replace("-", "").upper()


def _entry(entry: Place, account: str, seen: "Counter[str]") -> BankEntry:
    amount, currency = entry.the("Amt").own_amount()
    _check_minor(entry.the("Amt"), amount, currency)
    signed = _sign(entry) * amount
    booked = entry.first("BookgDt") or entry.the("ValDt")
    booked_on = (booked.first("Dt") or booked.the("DtTm")).own_day()
    state = entry.words("Sts/Cd", "Sts") or "BOOK"
    own = entry.words("AcctSvcrRef") or _digest(entry, account)
    key = f"{own}/{booked_on}/{signed}{currency}"
    seen[key] += 1
    reference = key if seen[key] == 1 else f"{key}/{seen[key]}"
    told = Payment(
        provider=BANK, reference=reference, received_on=booked_on, amount=signed, currency=currency,
        is_return=entry.words("RvslInd") == "true", charge=-signed if is_fee(entry) and signed < 0 else _NOTHING,
    )  # fmt: skip
    return BankEntry(
        account=account,
        reference=reference,
        amount=signed,
        currency=currency,
        booked_on=booked_on,
        is_booked=_is_booked(entry, state),
        marks=tuple(sorted(_marks(entry))),
        payments=tuple(_payments(entry, told)),
    )


def _marks(entry: Place) -> set[str]:
    """What the bank and the banks before it call an entry and the payments in it."""
    details = list(entry.all("NtryDtls/TxDtls"))
    named = [("bank", entry.words("AcctSvcrRef"))]
    named += [("bank", each.words("Refs/AcctSvcrRef")) for each in details]
    named += [("uetr", each.words("Refs/UETR")) for each in details]
    named += [("tx", each.words("Refs/TxId")) for each in details]
    return {f"{kind}:{said}" for kind, said in named if _said(said)}


def _is_booked(entry: Place, state: str) -> bool:
    if state not in ("BOOK", "PDNG", "INFO"):
        raise Invalid(f"{entry.path}/Sts", f"{state[:20]!r} is not known")
    return state == "BOOK"


def _payments(entry: Place, told: Payment) -> Iterator[Payment]:
    """The payments in an entry; one that gives no details, or one detail without an amount, is one payment."""
    details = list(entry.all("NtryDtls/TxDtls"))
    if not details:
        text = entry.words("AddtlNtryInf") or ""
        charge = charges(entry, told.currency) if are_taken_off(entry, told.currency) else _NOTHING
        yield _with(told, f"{told.reference}/0", told.amount, entry, text, charge)
        return
    amounts = [_amount(each, entry, told) for each in details]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        if len(details) > 1:
            raise Invalid(f"{entry.path}/NtryDtls", "a payment of several has no amount")
        known = [told.amount]
    kept = [charges(each, told.currency) for each in details]
    found = shared_out(known, kept, charges(entry, told.currency), told.amount)
    if found is None:
        raise Invalid(
            f"{entry.path}/NtryDtls", f"its payments come to {sum(known)}, the entry to {told.amount} {told.currency}"
        )
    reached, of_all = found
    for number, (detail, amount, before, charge) in enumerate(zip(details, reached, known, kept, strict=True)):
        taken = charge if amount != before or _is_net(detail, amount, charge, told.currency) else _NOTHING
        yield _with(told, f"{told.reference}/{number}", amount, detail, _texts(detail), taken)
    if of_all:
        yield _with(told, f"{told.reference}/{len(details)}", -of_all, entry, "", of_all)


def _is_net(detail: Place, amount: Decimal, charge: Decimal, currency: str) -> bool:
    """Whether a payment's amount is that after charges: it is said to be, or what was sent is as much more."""
    sent = detail.first("AmtDtls/TxAmt/Amt")
    return are_taken_off(detail, currency) or (
        sent is not None and sent.own_amount() == (abs(amount + charge), currency) and bool(charge)
    )


def _with(told: Payment, reference: str, amount: Decimal, at: Place, text: str, charge: Decimal) -> Payment:
    """The payment with what its details say. Args: charge, what the bank kept of it."""
    came_in = amount >= 0
    who = "Dbtr" if came_in else "Cdtr"
    account = at.words(f"RltdPties/{who}Acct/Id/IBAN", f"RltdPties/{who}Acct/Id/Othr/Id")
    return Payment(
        provider=BANK,
        reference=reference,
        received_on=told.received_on,
        amount=amount,
        currency=told.currency,
        remitted=tuple(_remitted(at, told.currency)),
        text=text,
        payer_name=at.words(f"RltdPties/{who}/Pty/Nm", f"RltdPties/{who}/Nm"),
        payer_account=plain_account(account) if account else None,
        end_to_end_id=_said(at.words("Refs/EndToEndId")),
        is_return=told.is_return or at.first("RtrInf") is not None,
        charge=-amount if told.charge else charge,
    )


def _amount(detail: Place, entry: Place, told: Payment) -> Decimal | None:
    """What a payment of an entry came to, in the account's currency: a detail may tell only what was instructed."""
    place = detail.first("Amt") or detail.first("AmtDtls/TxAmt/Amt")
    if place is None:
        return None
    amount, currency = place.own_amount()
    if currency != told.currency:
        if detail.first("AmtDtls/TxAmt/Amt") in (None, place):
            raise Invalid(place.path, f"is in {currency}, its entry in {told.currency}")
        place = detail.the("AmtDtls/TxAmt/Amt")
        amount, currency = place.own_amount()
        if currency != told.currency:
            raise Invalid(place.path, f"is in {currency}, its entry in {told.currency}")
    _check_minor(place, amount, currency)
    return amount * (_sign(detail) if detail.first("CdtDbtInd") else _sign(entry))


def _remitted(at: Place, currency: str) -> Iterator[Remitted]:
    """Structured references: the creditor's (OCR), or the number of the document that is paid."""
    for each in at.all("RmtInf/Strd"):
        reference = each.words("CdtrRefInf/Ref", "RfrdDocInf/Nb")
        if reference is None:
            continue
        place = each.first("RfrdDocAmt/RmtdAmt") or each.first("RfrdDocAmt/DuePyblAmt")
        amount, stated_in = place.own_amount() if place else (None, currency)
        yield Remitted(reference.replace(" ", ""), amount if stated_in == currency else None)


def _texts(detail: Place) -> str:
    texts = [each.own_text() for each in detail.all("RmtInf/Ustrd")]
    texts += [each.own_text() for each in detail.all("RmtInf/Strd/AddtlRmtInf")]
    if len(texts) > MAX_TEXTS:
        raise Invalid(f"{detail.path}/RmtInf", f"has more than {MAX_TEXTS} texts")
    return " ".join(texts) or detail.words("AddtlTxInf") or ""


def _said(text: str | None) -> str | None:
    return None if text in (None, "NOTPROVIDED") else text


def _sign(place: Place) -> int:
    word = place.the("CdtDbtInd").own_text()
    if word not in ("CRDT", "DBIT"):
        raise Invalid(f"{place.path}/CdtDbtInd", f"{word[:20]!r} is neither CRDT nor DBIT")
    return 1 if word == "CRDT" else -1


def _digest(entry: Place, account: str) -> str:
    """What an entry without the bank's reference is known by: all that it says, and no sequence number of a file."""
    said = [each.own_text() for each in entry.descend() if each.name != "NtryRef"]
    return sha256("\n".join([account, *said]).encode()).hexdigest()[:32]


def _check_minor(place: Place, amount: Decimal, currency: str) -> None:
    if amount != round(amount, minor_digits(currency)):
        raise Invalid(place.path, f"{amount} has parts of the smallest coin of {currency}")


def _check_summary(statement: Place, entries: list[BankEntry]) -> None:
    """The bank's own count and sums, where it gives them: a file from which something is missing tells itself."""
    summary = statement.first("TxsSummry")
    if summary is None:
        return
    for name, chosen in (
        ("TtlNtries", entries),
        ("TtlCdtNtries", [each for each in entries if each.amount > 0]),
        ("TtlDbtNtries", [each for each in entries if each.amount < 0]),
    ):
        for word, is_so in (("NbOfNtries", len(chosen)), ("Sum", sum((abs(e.amount) for e in chosen), _NOTHING))):
            place = summary.first(f"{name}/{word}")
            if place is not None and place.own_number() != is_so:
                raise Invalid(place.path, f"says {place.own_text()}, the entries come to {is_so}")


def _check_balances(statement: Place, entries: list[BankEntry]) -> None:
    """Opening balance and booked entries come to the closing balance, where a statement gives both."""
    balances = {each.words("Tp/CdOrPrtry/Cd"): each for each in statement.all("Bal")}
    opening, closing = balances.get("OPBD"), balances.get("CLBD")
    if opening is None or closing is None:
        return
    begin, end = (_sign(each) * each.the("Amt").own_amount()[0] for each in (opening, closing))
    booked = sum((each.amount for each in entries if each.is_booked), _NOTHING)
    if begin + booked != end:
        raise Invalid(closing.path, f"{begin} and the booked entries come to {begin + booked}, not to {end}")
