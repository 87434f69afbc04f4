"""Which part of the platform is killed, and when?

The plan follows from a seed alone. Kills come at random moments: the pauses between them are exponential, so that many
fall into the recovery from the one before. In every three kills each part is hit once; now and then another part dies
in the same moment.

>>> [[str(part) for part in kill.parts] for kill in plan(seed=1, kills=3)]
[['database'], ['worker'], ['gateway']]
"""

from collections.abc import Iterator
from enum import StrEnum
from random import Random

import msgspec

PAUSE_MEAN_S = 4.0
PAUSE_MAX_S = 12.0
"""Between two kills [s of the wall clock]."""
PAIR_SHARE = 0.25
"""So many kills take another part along."""


class Part(StrEnum):
    """What can be killed. The gateway's process is the API's too; the database is its server with all its processes."""

    GATEWAY = "gateway"
    WORKER = "worker"
    DATABASE = "database"


class Kill(msgspec.Struct, frozen=True):
    """After a pause [s of the wall clock] these parts are killed in one moment."""

    pause_s: float
    parts: tuple[Part, ...]


def plan(seed: int, kills: int) -> Iterator[Kill]:
    """The kills of one soak, in order."""
    rng = Random(f"soak {seed}")
    turn: list[Part] = []
    for _ in range(kills):
        turn = turn or rng.sample(list(Part), len(Part))
        part = turn.pop()
        parts: tuple[Part, ...] = (part,)
        if rng.random() < PAIR_SHARE:
            parts = (part, rng.choice([other for other in Part if other is not part]))
        yield Kill(min(PAUSE_MAX_S, rng.expovariate(1 / PAUSE_MEAN_S)), parts)
