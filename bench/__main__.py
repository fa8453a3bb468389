"""`python -m bench [NAME ...] [--json]`: run the benchmarks, all of them unless named.

A benchmark is a module with `run() -> dict` of figures and, where it has some, `GOALS`: {figure: "<= 12"}. Each
runs in a process of its own, so that memory and warm-up of one do not colour the next.
"""

import argparse
import importlib
import json
import operator
import subprocess
import sys
from typing import Any

# Add a benchmark here: its name on the command line, and its module.
BENCHMARKS = {
    "kernel": "bench.kernel",
    "fit": "bench.fit",
    "forecasts": "bench.forecasts",
    "publishing": "bench.publishing",
    "ingestion": "bench.ingestion",
    "bulk": "bench.bulk",
    "replay": "bench.replay",
    "ten_million": "bench.ten_million",
    "sealing": "bench.sealing",
    "imports": "bench.imports",
    "books": "bench.books",
    "matches": "bench.matches",
    "liabilities": "bench.liabilities",
    "explanations": "bench.explanations",
    "what_ifs": "bench.what_ifs",
    "policies": "bench.policies",
    "savings": "bench.savings",
    "runway_reads": "bench.runway_reads",
}
_COMPARISONS = {"<=": operator.le, ">=": operator.ge}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Figures of this machine, goals beside them."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    results: dict[str, dict[str, Any]] = {}
    for name in options.names or BENCHMARKS:
        module = importlib.import_module(BENCHMARKS[name])
        results[name] = module.run() if options.in_this_process else run_apart(name)
        if not options.json:
            print(
                table(
                    title=(module.__doc__ or name).splitlines()[0], figures=results[name], goals=goals_of(module)
                )
            )
    if options.json:
        print(json.dumps(results))
    return 0


def run_apart(name: str) -> dict[str, Any]:
    """One benchmark in a fresh interpreter; its own messages go to stderr as they come."""
    finished = subprocess.run(
        [sys.executable, "-m", "bench", name, "--json", "--in-this-process"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, Any] = json.loads(finished.stdout)[name]
    return figures


def goals_of(module: object) -> dict[str, str]:
    return getattr(module, "GOALS", {})


def table(*, title: str, figures: dict[str, Any], goals: dict[str, str]) -> str:
    """Plain text: name, figure, goal and whether it was reached."""
    width = max(len(name) for name in figures)
    lines = [title]
    for name, figure in figures.items():
        shown = f"{figure:,.3f}" if isinstance(figure, float) else str(figure)
        goal = f"   goal {goals[name]}: {verdict(figure, goals[name])}" if name in goals else ""
        lines.append(f"  {name:<{width}}  {shown:>14}{goal}")
    return "\n".join(lines) + "\n"


def verdict(figure: float, goal: str) -> str:
    sign, bound = goal.split()
    return "reached" if _COMPARISONS[sign](figure, float(bound)) else "MISSED"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
