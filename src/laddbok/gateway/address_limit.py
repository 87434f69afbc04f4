"""Has this address failed to log in, or knocked at the lobby, too often?

Each address has a bucket of tokens. A failed handshake takes one, time gives them back, and an address whose bucket
is empty is turned away before its password is looked at. Good handshakes cost nothing, so a whole site behind one
address may come back at once; knocks at the lobby have buckets of their own, so an unknown station can't shut out the
known ones beside it. The table is bounded: when it is full the address that failed longest ago is forgotten.

>>> limit = AddressLimit(burst=2, refill_s=10.0)
>>> limit.take("192.0.2.1", now_s=0.0), limit.take("192.0.2.1", now_s=0.0)
(None, None)
>>> limit.wait_s("192.0.2.1", now_s=4.0)
6.0
>>> limit.wait_s("192.0.2.1", now_s=10.0), limit.wait_s("192.0.2.9", now_s=4.0)
(0.0, 0.0)
"""

from ipaddress import IPv6Address, ip_address

MAX_ADDRESSES = 10_000
_V6_PREFIX = 64
"""A household gets at least so much of IPv6; its single addresses say nothing."""


class AddressLimit:
    """The buckets. `burst` failures at once, then one more each `refill_s` [s].

    Source: our choice, docs/adr/0001-websocket-engine.md.
    """

    def __init__(self, *, burst: int, refill_s: float, max_addresses: int = MAX_ADDRESSES) -> None:
        self._burst = burst
        self._refill_s = refill_s
        self._max_addresses = max_addresses
        self._full_at_s: dict[str, float] = {}
        """When the bucket of an address is full again; no entry: it is full."""

    def take(self, address: str, now_s: float) -> None:
        """Take a token of this address."""
        key = network_of(address)
        full_at_s = max(self._full_at_s.pop(key, now_s), now_s)
        if len(self._full_at_s) >= self._max_addresses:
            del self._full_at_s[next(iter(self._full_at_s))]
        self._full_at_s[key] = full_at_s + self._refill_s

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address has to wait before its next attempt [s]; 0.0: not at all."""
        if not self._full_at_s:
            return 0.0
        full_at_s = self._full_at_s.get(network_of(address), now_s)
        return max(0.0, full_at_s - now_s - (self._burst - 1) * self._refill_s)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the network, because its single addresses cost nothing.

    >>> network_of("2001:db8::1:2:3:4"), network_of("192.0.2.1")
    ('2001:db8::', '192.0.2.1')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> (128 - _V6_PREFIX) << (128 - _V6_PREFIX)))
    return address
