"""Chooses and runs the benches; see scripts/bench for the command line."""
import argparse
import datetime
import os
import signal
import sys
import time
import traceback

from . import cold, hot, indexed, publishing, report, starting, sweeps, writing
from .context import Context
from .figures import Record
from .machine import Failed, Machine, description, run
from .models import Models
from .product import program

BENCHES = {
    "hot": [hot.reading, hot.names],
    "cold": [cold.whole, cold.small, cold.together, cold.memory, cold.first_byte],
    "publish": [publishing.whole],
    "start": [starting.ready, starting.listing],
    "write": [writing.files],
    "indexed": [indexed.whole, indexed.cold_look, indexed.small_change],
    "sweeps": [sweeps.size, sweeps.files, sweeps.listing, sweeps.readers],
}
# Run when they are asked for by name.
APART = ["sweeps"]


class OutOfTime(Exception):
    """The benches took longer than they may: something hangs, or the machine is busy."""


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", default=None)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    chosen = _chosen(arguments.names or [name for name in BENCHES if name not in APART], parser)
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    _stop_in_time(285 if arguments.quick and not arguments.names else 1800 if arguments.names else 840)
    record, start, failed = Record(), time.monotonic(), False
    with Machine(repository) as machine:
        about = description() | {"run": "quick" if arguments.quick else "full"}
        about["modelfs"] = run([program(machine), "--version"]).output.strip()
        context = Context(machine, Models(repository), record, arguments.quick)
        for name, bench in chosen:
            began = time.monotonic()
            try:
                bench(context)
            except OutOfTime as error:
                failed = True
                record.note(f"{name} {bench.__name__} and what follows it are missing: {error}")
                break
            except (Failed, AssertionError, OSError) as error:
                failed = True
                record.note(f"{name} {bench.__name__} failed: {error}")
                traceback.print_exc()
            print(f"[{time.monotonic() - start:5.0f} s] {name} {bench.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    about["seconds"] = round(time.monotonic() - start)
    about["load"] = f"{about['load']} before, {os.getloadavg()[0]:.1f} after"
    report.print_table(record)
    stem = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d") + ("-sweeps" if arguments.names == APART else "") + ("-quick" if arguments.quick else "")
    if arguments.results or not arguments.names or arguments.names == APART:
        report.write(record, about, arguments.results or os.path.join(repository, "tests/ModelFs.Benchmarks/results"), stem)
    return 1 if failed else 0


def _chosen(names, parser):
    found = []
    for name in names:
        group, _, single = name.partition(".")
        benches = [bench for bench in BENCHES.get(group, []) if not single or bench.__name__ == single]
        if not benches:
            parser.error(f"there is no bench {name}: " + ", ".join(f"{g}.{b.__name__}" for g, bs in BENCHES.items() for b in bs))
        found += [(group, bench) for bench in benches]
    return found


def _stop_in_time(seconds):
    """Ends the run in time, with the figures that are there."""
    def on_alarm(*_):
        raise OutOfTime(f"the benches took longer than {seconds} s")
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.alarm(seconds)


sys.exit(main())
