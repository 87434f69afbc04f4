"""Which field of ours is it that an official rule speaks of?

One row per rule: whose field, its path from there on, and what is wrong with it in Swedish and English. A rule about a
line has the path within the line.

>>> FIELDS["SE-R-013"][:2]
(<Owner.SELLER: 'seller'>, 'organisation_number')
"""

from laddbok.billing.findings import Owner

Row = tuple[Owner, str, str, str]

_SELLER: dict[str, tuple[str, str, str]] = {
    "BR-06": ("name", "namn saknas", "has no name"),
    "BR-08": ("address", "adress saknas", "has no address"),
    "BR-09": ("address.country", "landskod saknas eller är fel", "its country code is missing or wrong"),
    "BR-61": ("bankgiro", "varken bankgiro eller IBAN finns att betala till", "has neither bankgiro nor IBAN to pay to"),
    "BR-50": ("bankgiro", "kontonummer saknas", "has no account number"),
    "BR-62": ("endpoint", "Peppol-id saknar typ", "its Peppol id has no scheme"),
    "BR-CO-26": ("organisation_number", "varken organisationsnummer eller momsregistreringsnummer finns", "has neither organisation nor VAT number"),
    "BR-S-02": ("vat_number", "momsregistreringsnummer saknas", "has no VAT number"),
    "BR-E-02": ("vat_number", "momsregistreringsnummer saknas", "has no VAT number"),
    "BR-CO-09": ("vat_number", "momsregistreringsnumret börjar inte med en landskod", "the VAT number does not begin with a country code"),
    "BR-CL-14": ("address.country", "landskoden finns inte", "there is no such country code"),
    "BR-CL-25": ("endpoint", "typen av Peppol-id finns inte", "there is no such scheme of Peppol ids"),
    "PEPPOL-EN16931-CL008": ("endpoint", "typen av Peppol-id finns inte", "there is no such scheme of Peppol ids"),
    "PEPPOL-EN16931-R020": ("endpoint", "Peppol-id saknas", "has no Peppol id"),
    "PEPPOL-COMMON-R040": ("endpoint", "GLN är fel", "the GLN is wrong"),
    "PEPPOL-COMMON-R049": ("organisation_number", "organisationsnumret är fel", "the organisation number is wrong"),
    "SE-R-001": ("vat_number", "momsregistreringsnumret är inte SE, organisationsnummer, 01", "the VAT number is not SE, organisation number, 01"),
    "SE-R-002": ("vat_number", "momsregistreringsnumret har annat än siffror efter SE", "the VAT number has more than digits after SE"),
    "SE-R-003": ("organisation_number", "organisationsnumret har annat än siffror", "the organisation number has more than digits"),
    "SE-R-004": ("organisation_number", "organisationsnumret har inte tio siffror", "the organisation number has not ten digits"),
    "SE-R-013": ("organisation_number", "organisationsnumrets kontrollsiffra stämmer inte", "the organisation number's check digit is wrong"),
    "SE-R-005": ("f_skatt", "uppgiften om F-skatt är fel", "what is said of F-skatt is wrong"),
    "SE-R-008": ("bankgiro", "bankgirot har annat än siffror", "the bankgiro has more than digits"),
    "SE-R-009": ("bankgiro", "bankgirot har inte sju eller åtta siffror med rätt kontrollsiffra", "the bankgiro has not seven or eight digits with the right check digit"),
}  # fmt: skip
_BUYER: dict[str, tuple[str, str, str]] = {
    "BR-07": ("name", "namn saknas", "has no name"),
    "BR-10": ("address", "adress saknas", "has no address"),
    "BR-11": ("address.country", "landskod saknas eller är fel", "its country code is missing or wrong"),
    "BR-63": ("endpoint", "Peppol-id saknar typ", "its Peppol id has no scheme"),
    "BR-AE-02": ("vat_number", "omvänd betalningsskyldighet kräver momsregistrerings- eller organisationsnummer", "reverse charge needs a VAT or organisation number"),
    "PEPPOL-EN16931-R003": ("buyer_reference", "varken referens eller ordernummer finns", "has neither a reference nor an order number"),
    "PEPPOL-EN16931-R010": ("endpoint", "Peppol-id saknas", "has no Peppol id"),
}  # fmt: skip
_INVOICE: dict[str, tuple[str, str, str]] = {
    "BR-02": ("number", "nummer saknas", "its number is missing"),
    "BR-05": ("currency", "valuta saknas", "its currency is missing"),
    "BR-16": ("lines", "dokumentet har inga rader", "the document has no lines"),
    "BR-25": ("text", "text saknas", "its text is missing"),
    "BR-27": ("unit_price", "priset är negativt", "its price is negative"),
    "BR-29": ("period_end", "perioden slutar före sin början", "the period ends before its start"),
    "BR-30": ("end_date", "slutar före sin början", "it ends before its start"),
    "BR-53": ("books", "momsen i bokföringens valuta saknas", "the VAT in the currency of the books is missing"),
    "BR-55": ("refers_to", "fakturan den gäller saknas", "the invoice it refers to is missing"),
    "BR-CL-04": ("currency", "valutan finns inte", "there is no such currency"),
    "BR-CO-10": ("totals.net", "är inte radernas summa", "is not the sum of the lines"),
    "BR-CO-13": ("totals.net", "är inte radernas summa", "is not the sum of the lines"),
    "BR-CO-14": ("totals.vat", "är inte summan av momsen per kategori", "is not the sum of the VAT of the categories"),
    "BR-CO-15": ("totals.gross", "är inte netto plus moms", "is not net plus VAT"),
    "BR-CO-16": ("totals.payable", "är inte brutto minus betalt plus öresavrundning", "is not gross minus paid plus rounding"),
    "BR-CO-17": ("vat", "momsen är inte underlaget gånger satsen", "the VAT is not the net amount times the rate"),
    "BR-CO-18": ("vat", "momsen per kategori saknas", "the VAT of the categories is missing"),
    "BR-S-05": ("vat.percent", "kategori S kräver en sats över 0", "category S needs a rate above 0"),
    "BR-S-08": ("vat", "underlaget är inte summan av satsens rader", "the net amount is not the sum of the rate's lines"),
    "BR-S-09": ("vat", "momsen är inte underlaget gånger satsen", "the VAT is not the net amount times the rate"),
    "BR-AE-05": ("vat.percent", "omvänd betalningsskyldighet har satsen 0", "reverse charge has the rate 0"),
    "BR-AE-08": ("vat", "underlaget är inte radernas summa", "the net amount is not the sum of the lines"),
    "BR-AE-09": ("vat", "omvänd betalningsskyldighet har ingen moms", "reverse charge has no VAT"),
    "BR-E-05": ("vat.percent", "undantaget från moms har satsen 0", "what is exempt has the rate 0"),
    "BR-E-08": ("vat", "underlaget är inte radernas summa", "the net amount is not the sum of the lines"),
    "BR-E-09": ("vat", "undantaget från moms har ingen moms", "what is exempt has no VAT"),
    "BR-O-08": ("vat", "underlaget är inte radernas summa", "the net amount is not the sum of the lines"),
    "BR-O-09": ("vat", "det som inte omfattas av moms har ingen moms", "what is outside VAT has none"),
    "BR-O-11": ("vat", "det som inte omfattas av moms ska faktureras för sig", "what is outside VAT needs a document of its own"),
    "BR-O-12": ("vat", "det som inte omfattas av moms ska faktureras för sig", "what is outside VAT needs a document of its own"),
    "SE-R-006": ("vat.percent", "momssatsen är varken 6, 12 eller 25 %", "the VAT rate is neither 6, 12 nor 25 %"),
    "PEPPOL-EN16931-R005": ("books.currency", "bokföringens valuta är dokumentets egen", "the currency of the books is that of the document"),
    "PEPPOL-EN16931-R054": ("books", "momsen i bokföringens valuta ska stå en gång", "the VAT in the currency of the books must stand once"),
    "PEPPOL-EN16931-R055": ("books.total", "momsen i bokföringens valuta har fel tecken", "the VAT in the currency of the books has the wrong sign"),
    "PEPPOL-EN16931-R110": ("start_date", "börjar före dokumentets period", "it begins before the document's period"),
    "PEPPOL-EN16931-R111": ("end_date", "slutar efter dokumentets period", "it ends after the document's period"),
    "PEPPOL-EN16931-R120": ("net", "beloppet är inte mängd gånger pris", "its amount is not quantity times price"),
    "PEPPOL-EN16931-R121": ("per", "prisets mängd är inte över 0", "its price is for nothing"),
    "UBL-DT-01": ("totals", "ett belopp har fler än två decimaler", "an amount has more than two decimals"),
}  # fmt: skip

FIELDS: dict[str, Row] = {
    rule: (owner, *row)
    for owner, rows in ((Owner.SELLER, _SELLER), (Owner.BUYER, _BUYER), (Owner.INVOICE, _INVOICE))
    for rule, row in rows.items()
}
