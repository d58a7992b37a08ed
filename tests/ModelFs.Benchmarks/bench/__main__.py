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
    "indexed": [indexed.whole, indexed.cold_look, indexed.server_start, indexed.small_change],
    "sweeps": [sweeps.size, sweeps.files, sweeps.listing, sweeps.readers],
}
# Run when they are asked for by name.
APART = ["sweeps"]

# A quick run ends in under 5 minutes, whatever hangs; what makes models for the first time does not count.
QUICK_SECONDS, FULL_SECONDS = 270, 1500


class OutOfTime(BaseException):
    """The benches took longer than they may: something hangs, or the machine is busy. Not for libraries to take for an error of their own."""


def main():
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", default=os.path.join(repository, "tests/ModelFs.Benchmarks/results"))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    chosen = _chosen(arguments.names or [name for name in BENCHES if name not in APART], parser)
    _stop_in_time(QUICK_SECONDS if arguments.quick else FULL_SECONDS)
    record, start, failed = Record(), time.monotonic(), False
    with Machine(repository) as machine:
        about = description()
        record.runs.append({"benches": [], "when": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M}", "modelfs": run([program(machine), "--version"]).output.strip()})
        context = Context(machine, Models(repository), record, arguments.quick)
        for name, bench in chosen:
            began = time.monotonic()
            record.source = f"{name}.{bench.__name__}"
            record.runs[0]["benches"].append(record.source)
            try:
                bench(context)
            except OutOfTime as error:
                failed = True
                record.note(f"{record.source} and what follows it are missing: {error}")
                break
            except (Failed, AssertionError, OSError) as error:
                failed = True
                record.note(f"{record.source} failed: {error}")
                traceback.print_exc()
            print(f"[{time.monotonic() - start:5.0f} s] {record.source}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        signal.alarm(0)
    record.runs[0] |= {"load": f"{about.pop('load')}, {os.getloadavg()[0]:.1f}", "seconds": round(time.monotonic() - start)}
    report.print_table(record)
    if arguments.record or not arguments.names:
        stem = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d") + ("-sweeps" if _is_apart(arguments.names) else "") + ("-quick" if arguments.quick else "")
        if arguments.names:
            record.take_over(report.read(arguments.results, stem), [f"{name}.{bench.__name__}" for name, benches in BENCHES.items() for bench in benches])
        report.write(record, about | {"run": "quick" if arguments.quick else "full"}, arguments.results, stem)
    return 1 if failed else 0


def _is_apart(names):
    return bool(names) and all(name.partition(".")[0] in APART for name in names)


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
