"""Which words stand on a document?

Each in Swedish and in English. A word for which there is nothing to say stands on no page.
"""

from laddbok.model.invoice import InvoiceKind, Text, Unit

TITLES = {
    InvoiceKind.INVOICE: Text(sv="Faktura", en="Invoice"),
    InvoiceKind.CREDIT_NOTE: Text(sv="Kreditfaktura", en="Credit note"),
    InvoiceKind.RECEIPT: Text(sv="Kvitto", en="Receipt"),
    InvoiceKind.SELF_BILLED: Text(sv="Självfaktura", en="Self-billed invoice"),
}
DRAFT = Text(sv="utkast", en="draft")
UNITS = {
    Unit.KWH: Text(sv="kWh", en="kWh"),
    Unit.ONE: Text(sv="st", en="pc"),
    Unit.MONTH: Text(sv="mån", en="month"),
    Unit.MINUTE: Text(sv="min", en="min"),
    Unit.HOUR: Text(sv="h", en="h"),
}
WORDS = {
    "number": Text(sv="Nummer", en="Number"),
    "issue_date": Text(sv="Datum", en="Date"),
    "due_date": Text(sv="Förfallodag", en="Due date"),
    "period": Text(sv="Period", en="Period"),
    "contract": Text(sv="Avtal", en="Contract"),
    "customer": Text(sv="Kundnummer", en="Customer no."),
    "buyer_reference": Text(sv="Er referens", en="Your reference"),
    "order_reference": Text(sv="Er order", en="Your order"),
    "buyer_vat": Text(sv="Ert momsnummer", en="Your VAT no."),
    "contact": Text(sv="Vår kontakt", en="Our contact"),
    "refers_to": Text(sv="Avser faktura", en="Refers to invoice"),
    "of_receipt": Text(sv="Avser kvitto", en="Refers to receipt"),
    "organisation": Text(sv="Org.nr", en="Company no."),
    "vat_number": Text(sv="Momsnr", en="VAT no."),
    "f_skatt": Text(sv="Godkänd för F-skatt", en="F-tax: Godkänd för F-skatt"),
    "page": Text(sv="Sida {} av {}", en="Page {} of {}"),
    "what": Text(sv="Vad", en="What"),
    "quantity": Text(sv="Antal", en="Quantity"),
    "unit_price": Text(sv="À-pris", en="Unit price"),
    "sessions": Text(sv="Laddningar", en="Sessions"),
    "vat": Text(sv="Moms", en="VAT"),
    "net": Text(sv="Exkl. moms", en="Excl. VAT"),
    "gross": Text(sv="Inkl. moms", en="Incl. VAT"),
    "cost_centre": Text(sv="Kostnadsställe {}", en="Cost centre {}"),
    "without_cost_centre": Text(sv="Utan kostnadsställe", en="Without cost centre"),
    "taxable": Text(sv="Underlag", en="Taxable amount"),
    "rate": Text(sv="Momssats", en="VAT rate"),
    "sum_net": Text(sv="Summa exkl. moms", en="Total excl. VAT"),
    "sum_vat": Text(sv="Moms", en="VAT"),
    "books_vat": Text(sv="Moms i {}: {} ({}).", en="VAT in {}: {} ({})."),
    "books_rate": Text(sv="1 {} = {} {}, kurs från {} den {}.", en="1 {} = {} {}, rate of {} on {}."),
    "sum_gross": Text(sv="Summa inkl. moms", en="Total incl. VAT"),
    "prepaid": Text(sv="Redan betalt", en="Already paid"),
    "rounding": Text(sv="Öresavrundning", en="Rounding"),
    "payable": Text(sv="Att betala", en="To pay"),
    "payable_credit": Text(sv="Krediteras", en="Credited"),
    "payable_self": Text(sv="Betalas ut", en="To be paid out"),
    "payable_receipt": Text(sv="Betalt", en="Paid"),
    "session_cost": Text(sv="Laddningens pris", en="Price of the session"),
    "not_charged": Text(sv="Mer än det som godkändes, debiteras inte", en="Beyond what was agreed to, not charged"),
    "left_to_pay": Text(sv="Kvar att betala", en="Left to pay"),
    "bankgiro": Text(sv="Bankgiro", en="Bankgiro"),
    "iban": Text(sv="IBAN", en="IBAN"),
    "bic": Text(sv="BIC", en="BIC"),
    "ocr": Text(sv="OCR-nummer", en="Payment reference (OCR)"),
    "scan": Text(sv="Betala med bankens app", en="Pay with your bank's app"),
    "is_draft": Text(
        sv="Utkast: detta är ingen faktura. Den kan ännu ändras och ska inte betalas.",
        en="Draft: this is no invoice. It may still change and is not to be paid.",
    ),
    "credit_note": Text(
        sv="Detta är en kreditfaktura. Den tar tillbaka belopp på faktura {number} av den {day} och ska inte betalas.",
        en="This is a credit note. It takes back amounts of invoice {number} of {day} and is not to be paid.",
    ),
    "credit_note_receipt": Text(
        sv="Detta är en kreditfaktura. Den tar tillbaka belopp på kvitto {number} av den {day}.",
        en="This is a credit note. It takes back amounts of receipt {number} of {day}.",
    ),
    "credit_back": Text(
        sv="Det som har betalats för mycket går tillbaka samma väg som det kom.",
        en="What was paid too much goes back the way it came.",
    ),
    "reason": Text(sv="Orsak: {}", en="Reason: {}"),
    "credit_how": Text(
        sv="Beloppet räknas av från fakturan, eller betalas tillbaka om den redan är betald.",
        en="The amount is taken off the invoice, or paid back if that is paid already.",
    ),
    "self_billed": Text(
        sv="Självfakturering: köparen har ställt ut fakturan i säljarens namn.",
        en="Self-billing: the buyer has issued this invoice in the seller's name.",
    ),
    "no_payment": Text(sv="Ingenting ska betalas.", en="Nothing is to be paid."),
    "payment": Text(sv="Betalning", en="Payment"),
    "paid_to": Text(sv="Betalas till", en="Paid to"),
    "appendix": Text(sv="Specifikation av laddningar", en="Charging sessions in detail"),
    "session": Text(sv="Laddning", en="Session"),
    "energy": Text(sv="kWh", en="kWh"),
    "register": Text(sv="mätare {begin} → {end} kWh", en="meter {begin} → {end} kWh"),
    "proof": Text(sv="bevis", en="proof"),
    "verify": Text(
        sv="Kontrollera själv: be om en laddnings bevisfil. `laddbok verify FIL --root BEVIS` räknar om priset ur stationens "
        "egna mätvärden och jämför med beviset här.",
        en="Check it yourself: ask for the evidence file of a session. `laddbok verify FILE --root PROOF` computes the price "
        "again from the station's own meter readings and compares it with the proof here.",
    ),
    "taken_back": Text(sv="tas tillbaka", en="taken back"),
    "part": Text(sv="en del: andra betalar resten av laddningen", en="a part: others pay the rest of the session"),
    "part_of": Text(sv="er del: {} av {} exkl. moms", en="your part: {} of {} excl. VAT"),
    "revision": Text(sv="rättad, version {}", en="corrected, version {}"),
    "incl_vat": Text(sv="inkl. moms", en="incl. VAT"),
    "sum_sessions": Text(sv="Summa, varje laddning för sig", en="Sum, each session by itself"),
    "vat_on_sum": Text(
        sv="Momsen räknas på summan, inte på varje laddning", en="VAT is taken on the sum, not on each session"
    ),
    "sessions_on_document": Text(sv="Laddningar på detta dokument", en="Sessions on this document"),
    "spot": Text(
        sv="energi till kvartspris: {kwh} kWh, i snitt {mean}/kWh, från {low} till {high}",
        en="energy at prices per quarter hour: {kwh} kWh, on average {mean}/kWh, from {low} to {high}",
    ),
    "spot_parts": Text(sv="i snitt", en="on average"),
    "part_spot": Text(sv="marknadspris {}", en="market price {}"),
    "part_markup": Text(sv="påslag {}", en="markup {}"),
    "part_grid": Text(sv="nätavgift {}", en="grid fee {}"),
    "part_energy_tax": Text(sv="energiskatt {}", en="energy tax {}"),
    "part_source": Text(sv="priser från {}", en="prices from {}"),
    "quarters": Text(sv="Kvartspriser, {}/kWh exkl. moms", en="Prices per quarter hour, {}/kWh excl. VAT"),
    "quarters_with_vat": Text(sv="Kvartspriser, {}/kWh inkl. moms", en="Prices per quarter hour, {}/kWh incl. VAT"),
    "time": Text(sv="Tid", en="Time"),
    "price": Text(sv="Pris", en="Price"),
    "home_statement": Text(sv="Ersättning för laddning hemma", en="Refund of charging at home"),
    "home_intro": Text(
        sv="Arbetsgivaren ersätter förarens egen el. Ersättningen är ingen försäljning: det finns ingen moms på den.",
        en="The employer pays back the driver's own electricity. A refund is no sale: there is no VAT on it.",
    ),
    "driver": Text(sv="Förare", en="Driver"),
    "employer": Text(sv="Arbetsgivare", en="Employer"),
    "started": Text(sv="Började", en="Began"),
    "session_id": Text(sv="Laddningens ID", en="Session ID"),
    "per_kwh": Text(sv="Pris per kWh", en="Price per kWh"),
    "by_tariff": Text(sv="enligt tariff", en="by tariff"),
    "amount": Text(sv="Belopp", en="Amount"),
    "sum": Text(sv="Summa", en="Total"),
    "to_refund": Text(sv="Att ersätta", en="To be paid back"),
    "apartment_list": Text(sv="Laddning per lägenhet", en="Charging per apartment"),
    "apartment": Text(sv="Lägenhet", en="Apartment"),
    "apartments": Text(sv="Lägenheter", en="Apartments"),
    "share_intro": Text(
        sv="Månadens kostnad är fördelad efter använd energi. Raderna summerar exakt till kostnaden.",
        en="The month's cost is shared out by the energy used. The rows sum exactly to the cost.",
    ),
    "cost": Text(sv="Månadens kostnad", en="Cost of the month"),
    "no_apartment": Text(sv="Utan lägenhet", en="No apartment"),
    "place": Text(sv="Plats", en="Place"),
    "registers": Text(sv="Mätare, kWh", en="Meter, kWh"),
    "register_begin": Text(sv="Mätare före, kWh", en="Meter before, kWh"),
    "register_end": Text(sv="Mätare efter, kWh", en="Meter after, kWh"),
    "bill": Text(
        sv="Räkningen{number}: {net} exkl. moms. {fixed} av det är fast och delas {how}; resten delas efter använd energi.",
        en="The bill{number}: {net} excl. VAT. {fixed} of it is fixed and shared {how}; the rest is shared by the energy used.",
    ),
    "bill_by_use": Text(
        sv="Räkningen{number}: {net} exkl. moms, delad efter använd energi.",
        en="The bill{number}: {net} excl. VAT, shared by the energy used.",
    ),
    "shared_equally": Text(sv="lika", en="equally"),
    "shared_by_parts": Text(sv="efter andelstal", en="by the parts agreed"),
    "sessions_of_nobody": Text(sv="Utan lägenhet: {}.", en="No apartment's: {}."),
    "sessions_waiting": Text(
        sv="Laddningar som ännu inte är avräknade och inte är med: {}.",
        en="Sessions that are not settled yet, and not in this list: {}.",
    ),
    "changed_since": Text(sv="Ändrat sedan version {}:", en="Changed since version {}:"),
    "changed_session": Text(sv="Laddning {}", en="Session {}"),
    "changed_apartment": Text(sv="Lägenhet {}", en="Apartment {}"),
    "and_more": Text(sv="och {} till", en="and {} more"),
    "cdr_revision": Text(sv="Version", en="Version"),
    "reminder": Text(sv="Påminnelse", en="Reminder"),
    "invoice": Text(sv="Faktura", en="Invoice"),
    "invoice_date": Text(sv="Fakturadatum", en="Date of invoice"),
    "was_due": Text(sv="Förföll", en="Was due"),
    "pay_by": Text(sv="Betala senast", en="Pay by"),
    "reminder_lead": Text(
        sv="Faktura {number} av den {day} är inte helt betald.", en="Invoice {number} of {day} is not paid in full."
    ),
    "reminder_how": Text(
        sv="Betala {sum} senast den {day}. Har du redan betalat kan du bortse från påminnelsen.",
        en="Please pay {sum} by {day}. If you have paid already, you may disregard this reminder.",
    ),
    "as_invoiced": Text(sv="Faktura {}", en="Invoice {}"),
    "settled_of_it": Text(sv="Betalat eller krediterat", en="Paid or credited"),
    "earlier_claims": Text(
        sv="Avgifter och ränta från tidigare påminnelser", en="Fees and interest of earlier reminders"
    ),
    "reminder_fee": Text(sv="Påminnelseavgift, enligt avtal", en="Reminder fee, as agreed"),
    "compensation": Text(sv="Förseningsersättning, enligt avtal", en="Compensation for late payment, as agreed"),
    "late_interest": Text(
        sv="Dröjsmålsränta till och med den {}, enligt avtal",
        en="Interest for late payment up to and with {}, as agreed",
    ),
    "no_vat": Text(
        sv="Ingen moms på avgifter och ränta. Tycker du att fakturan är fel? Hör av dig innan du betalar.",
        en="There is no VAT on fees and interest. Is something wrong with the invoice? Tell us before you pay.",
    ),
}


def word(name: str, language: str) -> str:
    """A word of a document."""
    return said(WORDS[name], language)


def said(text: Text, language: str) -> str:
    """A text in the document's language."""
    return text.en if language == "en" else text.sv
