"""
How long labkit takes to be there: its import and its help beside the import of the libraries it stands on.

    python tests/bench/bench_start.py [--rounds 15]

Each figure is a whole process, the contestants in turn; medians, and the median of the ratios of one round. The
start of the embedded servers is measured in its own process each time, as a newcomer meets it, and again in
the same process.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.progress import track
from rich.table import Table

PEER = "import sqlalchemy.ext.asyncio, asyncmy, redis.asyncio"
START = """
import time
from labkit.services import services_in_thread
for _ in range(2):
    began = time.perf_counter()
    with services_in_thread("embedded"):
        print(time.perf_counter() - began)
"""
CONTESTANTS = {
    "the libraries": ["-c", PEER],
    "the libraries again (A/A)": ["-c", PEER],
    "import labkit": ["-c", "import labkit"],
    "import labkit.engine": ["-c", "import labkit.engine"],
    "labkit --help": ["-m", "labkit", "--help"],
}
GOALS = {"import labkit": 1.3, "labkit --help": 1.0}


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def starts() -> list[float]:
    printed = subprocess.run([sys.executable, "-c", START], check=True, capture_output=True, text=True).stdout
    return [float(line) for line in printed.split()]


def verdict(found: float, goal: float | None) -> str:
    if goal is None:
        return ""
    return f"≤ {goal:g}: reached" if found <= goal else f"≤ {goal:g}: not reached"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    rounds = parser.parse_args().rounds
    console = Console()
    for arguments in CONTESTANTS.values():
        seconds(arguments)  # every file has been read once
    times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    embedded: list[list[float]] = []
    for _ in track(range(rounds), console=Console(stderr=True), description="measuring"):
        for name, arguments in CONTESTANTS.items():
            times[name].append(seconds(arguments))
        embedded.append(starts())

    table = Table("", "median s", "ratio", "goal", title=f"whole processes, {rounds} rounds")
    peer = times["the libraries"]
    for name, found in times.items():
        ratio = statistics.median(one / other for one, other in zip(found, peer, strict=True))
        table.add_row(name, f"{statistics.median(found):.3f}", f"{ratio:.2f}", verdict(ratio, GOALS.get(name)))
    first, again = (statistics.median(found) for found in zip(*embedded, strict=True))
    table.add_section()
    table.add_row("embedded starts, new process", f"{first:.3f}", "", verdict(first, 0.5))
    table.add_row("embedded starts again", f"{again:.3f}", "", verdict(again, 0.5))
    console.print(table)


if __name__ == "__main__":
    main()
