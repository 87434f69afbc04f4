"""`python -m tests.rules.rating.reference --count N --jobs J --from S`: the two readings of price on so many seeds."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.rules.rating.compared import comparison
from tests.rules.rating.generated import generated

MOST_SHOWN = 20


def compared(seeds: range) -> tuple[list[str], Counter[str]]:
    """What differs, and how many of the comparisons had what in them."""
    found, seen = [], Counter[str]()
    for seed in seeds:
        given = generated(seed)
        try:
            told, had = comparison(given)
        except Exception as error:
            told, had = f"seed {seed}: {type(error).__name__}: {error}", set()
        found += [told] if told else []
        seen.update(had)
    return found, seen


def main(arguments: list[str] | None = None) -> int:
    """Compare, print what differs and what was in the comparisons; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--from", type=int, default=0, dest="first")
    options = parser.parse_args(arguments)
    began_s, end = time.monotonic(), options.first + options.count
    blocks = [range(start, min(start + 100, end)) for start in range(options.first, end, 100)]
    found, seen = list[str](), Counter[str]()
    with ProcessPoolExecutor(options.jobs) as pool:
        each = map(compared, blocks) if options.jobs == 1 else pool.map(compared, blocks)
        for differing, had in each:
            found += differing
            seen += had
    for told in found[:MOST_SHOWN]:
        print(told)
    for name, count in sorted(seen.items()):
        print(f"{name:24} {count:7,} {100 * count / options.count:5.1f} %")
    print(f"{options.count:,} sessions, {len(found):,} differ; {time.monotonic() - began_s:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
