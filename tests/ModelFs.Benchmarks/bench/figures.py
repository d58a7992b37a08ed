"""Samples, their medians and ratios, and runs in turn of what is compared."""
import re
import statistics
from dataclasses import dataclass, field

from .machine import Failed

OURS = "ModelFs"


@dataclass
class Figure:
    """One thing that was measured in several ways; the samples of one index ran next to each other."""

    bench: str
    name: str
    unit: str
    source: str = ""
    samples: dict = field(default_factory=dict)
    cpu: dict = field(default_factory=dict)
    peak_mb: dict = field(default_factory=dict)

    def add(self, way, value, cost=None):
        """Adds a sample; `cost` tells CPU seconds and memory."""
        self.samples.setdefault(way, []).append(value)
        if cost is not None:
            self.cpu.setdefault(way, []).append(cost.cpu)
            self.peak_mb.setdefault(way, []).append(cost.peak_mb)

    def median(self, way):
        return statistics.median(self.samples[way])

    def ratio(self, above, below):
        """Median of the ratios of samples that ran in the same round."""
        return statistics.median(a / b for a, b in zip(self.samples[above], self.samples[below]) if b)


@dataclass
class Sweep:
    """How something grows: series of (x, y) by name."""

    title: str
    x_title: str
    y_title: str
    series: dict
    source: str = ""


@dataclass
class Goal:
    """A promise and what was measured of it."""

    number: str
    what: str
    value: float
    sign: str  # ">=" or "<="
    bound: float
    unit: str = "×"
    source: str = ""

    @property
    def is_met(self):
        return self.value >= self.bound if self.sign == ">=" else self.value <= self.bound


@dataclass
class Note:
    """What a reader of the figures must know: what failed, what is missing."""

    text: str
    source: str = ""


class Record:
    """Everything that one run measured, or several runs did, one after the other. `source` is the bench that adds to it now, such as cold.whole."""

    def __init__(self):
        self.source = ""
        self.figures = []
        self.goals = []
        self.sweeps = []
        self.notes = []
        self.runs = []

    def figure(self, bench, name, unit):
        self.figures.append(Figure(bench, name, unit, source=self.source))
        return self.figures[-1]

    def goal(self, number, what, value, sign, bound, unit="×"):
        self.goals.append(Goal(number, what, value, sign, bound, unit, self.source))

    def sweep(self, title, x_title, y_title, series):
        self.sweeps.append(Sweep(title, x_title, y_title, series, self.source))

    def note(self, text):
        """What went wrong; without the folders of this machine, which tell nothing elsewhere."""
        self.notes.append(Note(re.sub(r"(?<![\w.:/])/\S*/", "", text), self.source))

    def take_over(self, earlier, order):
        """Takes from an earlier record what this one did not measure again; everything stands in the order of the sources afterwards."""
        measured = {source for run in self.runs for source in run["benches"]}
        for name in ("figures", "goals", "sweeps", "notes"):
            kept = [item for item in getattr(earlier, name) if item.source not in measured]
            setattr(self, name, sorted(kept + getattr(self, name), key=lambda item: order.index(item.source) if item.source in order else len(order)))
        for run in earlier.runs:
            run["benches"] = [source for source in run["benches"] if source not in measured]
        self.runs = [run for run in earlier.runs if run["benches"]] + self.runs


def in_turn(figure, ways, rounds, rounds_of=None, on_failure=None):
    """Runs each way once per round, in the order of the dictionary and then in the opposite order, and so on.

    A way is a callable that returns a Cost, or a number. `rounds_of` bounds the rounds of slow ways. With `on_failure` a peer that fails is
    told to it and left out from then on.
    """
    failed = set()
    for number in range(rounds):
        order = list(ways) if number % 2 == 0 else list(reversed(ways))
        for way in order:
            if way not in failed and number < (rounds_of or {}).get(way, rounds):
                try:
                    result = ways[way]()
                except Failed as error:
                    if on_failure is None or way == OURS:
                        raise
                    failed.add(way)
                    on_failure(f"{figure.name}: {way} failed: {error}")
                    continue
                if isinstance(result, (int, float)):
                    figure.add(way, result)
                else:
                    figure.add(way, result.seconds, result)
