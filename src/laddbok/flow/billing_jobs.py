"""What is a job called that looks at a month, or bills it?

Two kinds of job; the key of both is tenant, seller and month, so that there is one of a kind for each.

>>> key_of(1, "norrladd", "2026-10")
'1/norrladd/2026-10'
>>> parse_key("1/norrladd/2026-10")
('norrladd', '2026-10')
"""

BILLING_PLAN = "billing_plan"
BILLING_RUN = "billing_run"


def key_of(tenant: int, seller_id: str, month: str) -> str:
    """The key of a job."""
    return f"{tenant}/{seller_id}/{month}"


def parse_key(key: str) -> tuple[str, str]:
    """Seller and month of a job; its tenant stands in its row."""
    seller_id, _, month = key.partition("/")[2].rpartition("/")
    return seller_id, month
