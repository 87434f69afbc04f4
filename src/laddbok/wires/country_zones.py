"""Which time zone does a whole country keep?

Only countries where one clock holds everywhere are listed, so that a country can stand for a zone; elsewhere a time zone
must be named. Overseas territories have country codes of their own.

>>> zone_of("SWE"), zone_of("se"), zone_of("ESP")
('Europe/Stockholm', 'Europe/Stockholm', None)
"""

_ZONES = {
    "AD AND": "Europe/Andorra",
    "AL ALB": "Europe/Tirane",
    "AT AUT": "Europe/Vienna",
    "AX ALA": "Europe/Mariehamn",
    "BA BIH": "Europe/Sarajevo",
    "BE BEL": "Europe/Brussels",
    "BG BGR": "Europe/Sofia",
    "CH CHE": "Europe/Zurich",
    "CZ CZE": "Europe/Prague",
    "DE DEU": "Europe/Berlin",
    "DK DNK": "Europe/Copenhagen",
    "EE EST": "Europe/Tallinn",
    "FI FIN": "Europe/Helsinki",
    "FO FRO": "Atlantic/Faroe",
    "FR FRA": "Europe/Paris",
    "GB GBR": "Europe/London",
    "GR GRC": "Europe/Athens",
    "HR HRV": "Europe/Zagreb",
    "HU HUN": "Europe/Budapest",
    "IE IRL": "Europe/Dublin",
    "IN IND": "Asia/Kolkata",
    "IL ISR": "Asia/Jerusalem",
    "IS ISL": "Atlantic/Reykjavik",
    "IT ITA": "Europe/Rome",
    "JP JPN": "Asia/Tokyo",
    "LI LIE": "Europe/Vaduz",
    "LT LTU": "Europe/Vilnius",
    "LU LUX": "Europe/Luxembourg",
    "LV LVA": "Europe/Riga",
    "MC MCO": "Europe/Monaco",
    "ME MNE": "Europe/Podgorica",
    "MK MKD": "Europe/Skopje",
    "MT MLT": "Europe/Malta",
    "NL NLD": "Europe/Amsterdam",
    "NO NOR": "Europe/Oslo",
    "PL POL": "Europe/Warsaw",
    "RO ROU": "Europe/Bucharest",
    "RS SRB": "Europe/Belgrade",
    "SE SWE": "Europe/Stockholm",
    "SG SGP": "Asia/Singapore",
    "SI SVN": "Europe/Ljubljana",
    "SK SVK": "Europe/Bratislava",
    "TR TUR": "Europe/Istanbul",
}
"""By ISO 3166-1 alpha-2 and alpha-3 code. Büsingen keeps the time of the rest of Germany."""

_BY_CODE = {code: zone for codes, zone in _ZONES.items() for code in codes.split()}


def zone_of(country: str) -> str | None:
    """The IANA zone of a country (ISO 3166-1 alpha-2 or alpha-3), None where there is more than one or it isn't listed.

    Source: IANA time zone database, zone1970.tab.
    """
    return _BY_CODE.get(country.upper())
