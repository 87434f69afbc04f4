"""Run seeds: one with its trail, or many at once. `python -m tests.sim --seed N [-v]`, `--seeds A..B --jobs 2`."""

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from time import process_time

from tests.sim.run import Result, Simulation, run_seed

TRAIL = 60
"""Lines of the station's trail that a violation shows."""


def main(arguments: list[str] | None = None) -> int:
    """0: no violation."""
    asked = _parser().parse_args(arguments)
    if asked.seeds:
        first, _, last = asked.seeds.partition("..")
        return run_many(range(int(first), int(last or first) + 1), asked.jobs)
    if asked.store == "postgres":
        from tests.sim.real_database import started

        context = started()
    else:
        context = nullcontext()
    with context as ground:
        result, simulation = run_seed(asked.seed, ground)
    if asked.verbose:
        show(simulation, None, len(simulation.world.trail), 2000)
    report(result, simulation, asked.store)
    return 1 if result.violation else 0


def run_many(seeds: Iterable[int], jobs: int) -> int:
    """Many seeds, in several processes; each violation is told at once."""
    began_s, failed, count, cpu_s = process_time(), [], 0, 0.0
    with ProcessPoolExecutor(jobs) as pool:
        for result, seconds in pool.map(timed, seeds, chunksize=5):
            count += 1
            cpu_s += seconds
            if result.violation:
                failed.append(result.seed)
                print(f"seed {result.seed}: {result.violation.in_short}", flush=True)
    cpu_s += process_time() - began_s
    print(f"{count} seeds, {len(failed)} with a violation, {cpu_s / max(1, count):.2f} s of CPU each")
    if failed:
        print("failed:", *failed)
    return 1 if failed else 0


def timed(seed: int) -> tuple[Result, float]:
    """A seed and its CPU time."""
    began_s = process_time()
    result, _ = run_seed(seed)
    return result, process_time() - began_s


def report(result: Result, simulation: Simulation, store: str) -> None:
    """What came of one seed."""
    happened = ", ".join(f"{name} {count}" for name, count in sorted(result.happened.items()))
    print(f"seed {result.seed}: {simulation.world.began_at:%Y-%m-%d %H:%M} UTC; on: {', '.join(result.faults)}")
    print(f"  struck: {happened}")
    print(f"  {result.transactions} transactions, {result.sessions} sessions, {result.frames} frames, ", end="")
    print(f"{result.events} events, digest {result.digest}")
    if result.violation is None:
        return print("  no violation")
    print(f"\nVIOLATED: {result.violation}\n")
    show(simulation, result.violation.subject or None, TRAIL)
    print(f"\nrepeat: make sim SEED={result.seed}" + (f" STORE={store}" if store != "memory" else ""))


def show(simulation: Simulation, subject: str | None, count: int, width: int = 240) -> None:
    """The last lines of the trail, of one station or of all."""
    lines = [line for line in simulation.world.trail if subject is None or line[1] in (subject, "world", "database")]
    for at, who, what, detail in lines[-count:]:
        told = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        print(f"{at:%d %H:%M:%S.%f} {who}: {what} {told[:width]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="The deterministic simulation.")
    parser.add_argument("--seed", type=int, default=1, help="run this one")
    parser.add_argument("--seeds", help="run these: A..B")
    parser.add_argument("--jobs", type=int, default=2, help="processes for --seeds")
    parser.add_argument("--store", choices=("memory", "postgres"), default="memory")
    parser.add_argument("-v", "--verbose", action="store_true", help="the whole trail")
    return parser


if __name__ == "__main__":
    sys.exit(main())
