"""How many spoilt frames does it survive, and does memory stay flat?

The frames go to one house after the other, so that the evidence, which grows by design, goes with its house. What is
allocated when a house is gone must not grow from house to house: the caches and tables of our modules are bounded.
"""

import gc
import sys
from collections import Counter
from random import Random
from typing import NamedTuple

from tests.mutations.house import House

FRAMES_PER_HOUSE = 2_500
WARM_UP_HOUSES = 4


class Report(NamedTuple):
    """What became of the frames; `grown_blocks`: allocated blocks of Python memory, last house against the warm-up."""

    counts: Counter[str]
    grown_blocks: int


def spoil(count: int, seed: int) -> Report:
    """Send so many spoilt frames. Raises: Broken with the first frame that does harm."""
    counts: Counter[str] = Counter()
    after_warm_up = blocks = 0
    for number, begin in enumerate(range(0, count, FRAMES_PER_HOUSE)):
        house = House(Random(f"{seed}/{number}"))
        for _ in range(min(FRAMES_PER_HOUSE, count - begin)):
            house.spoil()
        house.close()
        counts.update(house.counts)
        del house
        gc.collect()
        blocks = sys.getallocatedblocks()
        if number == WARM_UP_HOUSES:
            after_warm_up = blocks
    return Report(counts, blocks - after_warm_up if after_warm_up else 0)
