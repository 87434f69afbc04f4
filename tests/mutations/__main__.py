"""`python -m tests.mutations --count N --seed S`: so many spoilt frames, and what became of them."""

import argparse
import time

from tests.mutations.run import spoil


def main() -> None:
    """Print the counts; a frame that does harm ends it with an error that names the frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.process_time()
    report = spoil(options.count, options.seed)
    counts = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    print(
        f"seed {options.seed}: {counts}; {report.grown_blocks:,} blocks of memory more at the end than after the warm-up"
    )
    print(f"{time.process_time() - began_s:.0f} s of CPU")


if __name__ == "__main__":
    main()
