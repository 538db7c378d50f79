"""
The flight recorder's price in time and memory, beside what people use today, on one server in one run.

    labkit services exec --provider local -- python tests/bench/bench_recorder.py
    labkit services exec --provider local -- python tests/bench/bench_recorder.py --only "ORM SELECT" --blocks 40

A ratio is the median over rounds: in each round every way of doing the work has one block, in an order that
changes. The A/A control is the unrecorded work against itself, in the same rounds: a figure that is no further
from 1 than the control says nothing. After ± stands how far the true median may be, 19 times in 20.

OpenTelemetry's instrumentation of SQLAlchemy takes part where it is installed; it is no dependency of labkit's:
`pip install opentelemetry-instrumentation-sqlalchemy opentelemetry-sdk`. Ten million events come from the
recorder's own hooks, called with a real connection, record and fairy, and a million checkouts from a real pool
whose connections do nothing; beside them, real SELECTs run for a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from recorder_lines import GROUPS, Asked, Line, child
from rich.console import Console
from rich.progress import Progress
from rich.table import Table


def measured(arguments: argparse.Namespace) -> list[Line]:
    chosen = [name for name in GROUPS if arguments.only is None or arguments.only.lower() in name.lower()]
    lines: list[Line] = []
    with Progress(console=Console(stderr=True)) as progress:
        for name in chosen:
            task = progress.add_task(name, total=1.0)
            asked = Asked(
                arguments.blocks, arguments.seconds, arguments.events, arguments.checkouts,
                lambda part, task=task: progress.advance(task, part),
            )  # fmt: skip
            lines += GROUPS[name](asked)
            progress.update(task, completed=1.0)
    return lines


def shown(value: float, unit: str) -> str:
    digits = {"x": 3, "s": 3, "MB": 3, "MiB": 2, "µs": 1}.get(unit, 0)
    return f"{value:,.{digits}f}"


def print_table(lines: list[Line]) -> None:
    table = Table(
        "what", "measured", "goal", "", "A/A control", title=f"the flight recorder, Python {sys.version[:6]}"
    )
    for line in lines:
        margin = f" ±{shown(line.margin, line.unit)}" if line.margin else ""
        goal = "" if line.goal is None else f"≤ {shown(line.goal, line.unit)}"
        if line.least is not None:
            goal = f"{shown(line.least, line.unit)} to {shown(line.goal or 0, line.unit)}"
        table.add_row(
            line.what, f"{shown(line.measured, line.unit)}{margin} {line.unit}", goal, line.verdict, line.control
        )
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=150, help="rounds of every comparison")
    parser.add_argument("--seconds", type=float, default=0.05, help="how long a block is meant to take")
    parser.add_argument(
        "--events", type=int, default=10_000_000, help="for flat memory; the real run is in proportion"
    )
    parser.add_argument("--checkouts", type=int, default=1_000_000, help="after which nothing may be kept alive")
    parser.add_argument("--only", metavar="TEXT", help=f"groups whose name has it: {', '.join(GROUPS)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.child:
        child(arguments.child)
        return
    lines = measured(arguments)
    if arguments.json:
        print(json.dumps([asdict(line) | {"verdict": line.verdict} for line in lines], indent=1))
    else:
        print_table(lines)


if __name__ == "__main__":
    main()
