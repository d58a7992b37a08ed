"""The table on the terminal, and the same as JSON, Markdown and a chart."""
import datetime
import json
import os

from . import charts
from .figures import OURS, Figure, Goal, Note, Record, Sweep


def _number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _rows(record):
    """(figure, way, cells) of every way of every figure."""
    for figure in record.figures:
        for way, samples in figure.samples.items():
            ratio = ""
            if OURS in figure.samples and way != OURS:
                ratio = f"{figure.ratio(way, OURS):.2f}"
            yield figure, way, [_number(figure.median(way)), figure.unit, f"{_number(min(samples))}–{_number(max(samples))}", str(len(samples)),
                                _number(_middle(figure.cpu.get(way))) if way in figure.cpu else "",
                                _number(max(figure.peak_mb[way])) if way in figure.peak_mb else "", ratio]


def _middle(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


HEAD = ["median", "unit", "spread", "n", "CPU s", "peak MB", f"of {OURS}"]
WIDTHS = [11, 14, 20, 4, 9, 9, 12]


def print_table(record):
    width = max((len(way) for _, way, _ in _rows(record)), default=0) + 2
    last = None
    for figure, way, cells in _rows(record):
        if figure is not last:
            print(f"\n{figure.name}\n  {'':<{width}}" + "".join(f"{head:>{cell_width}}" for head, cell_width in zip(HEAD, WIDTHS)))
            last = figure
        print(f"  {way:<{width}}" + "".join(f"{cell:>{cell_width}}" for cell, cell_width in zip(cells, WIDTHS)))
    if record.goals:
        print()
        for goal in record.goals:
            print(f"{goal.number:<4}{'met   ' if goal.is_met else 'MISSED'} {_number(goal.value):>9} {goal.sign.replace('>=', '≥').replace('<=', '≤')} {_number(goal.bound)} {goal.unit:<3} {goal.what}")
        print(f"\n{sum(g.is_met for g in record.goals)} of {len(record.goals)} goals met")
    for note in record.notes:
        print(f"note: {note.text}")


def _cell(text):
    """As it must stand in a Markdown table."""
    return str(text).replace("|", "\\|")


def _file_name(title):
    return title.lower().replace(" ", "-")


def _markdown(record, about, title, stem):
    lines = [f"# {title}", "", "Medians; what is compared ran in turn in the same run, in an order that alternates. Ratios are the median of the ratios of one round each. "
             "CPU seconds and memory of ModelFs are those of its daemon and keeper with the program that reads; of others, of all their processes.", ""]
    lines += [f"* {key}: {value}" for key, value in about.items()] + [""]
    lines += ["| measured | when | by | load before, after | seconds |", "|---|---|---|---|---|"]
    lines += [f"| {', '.join(run['benches'])} | {run['when']} | {run['modelfs']} | {run['load']} | {run['seconds']} |" for run in record.runs] + [""]
    if record.goals:
        lines += ["## Goals", "", "| goal | what | measured | wanted | |", "|---|---|---|---|---|"]
        lines += [f"| {g.number} | {_cell(g.what)} | {_number(g.value)} {g.unit} | {g.sign.replace('>=', '≥').replace('<=', '≤')} {_number(g.bound)} {g.unit} | {'met' if g.is_met else '**missed**'} |" for g in record.goals]
    lines += ["", "## Figures", "", "| what | how | " + " | ".join(HEAD) + " |", "|---|---|" + "---|" * len(HEAD)]
    last = None
    for figure, way, cells in _rows(record):
        lines.append(f"| {_cell(figure.name) if figure is not last else ''} | {_cell(way)} | " + " | ".join(cells) + " |")
        last = figure
    for sweep in record.sweeps:
        xs = sorted({x for line in sweep.series.values() for x, _ in line})
        lines += ["", f"## {sweep.title}", "", f"{sweep.y_title[0].upper()}{sweep.y_title[1:]}, by {sweep.x_title}.", "",
                  "| " + " | ".join(_cell(title) for title in [sweep.x_title, *sweep.series]) + " |", "|---" * (1 + len(sweep.series)) + "|"]
        lines += ["| " + " | ".join([f"{x:,}"] + [_number(dict(line)[x]) if x in dict(line) else "" for line in sweep.series.values()]) + " |" for x in xs]
        lines += ["", f"![{sweep.title}]({stem}-{_file_name(sweep.title)}.svg)"]
    if record.notes:
        lines += ["", "## Notes", ""] + [f"* {note.text}" for note in record.notes]
    return "\n".join(lines) + "\n"


def _json(record, about):
    return json.dumps({"about": about, "runs": record.runs, "goals": [vars(goal) | {"met": goal.is_met} for goal in record.goals],
                       "figures": [vars(figure) for figure in record.figures], "sweeps": [vars(sweep) for sweep in record.sweeps],
                       "notes": [vars(note) for note in record.notes]}, indent=1, ensure_ascii=False)


def read(folder, stem):
    """The record that `write` wrote; an empty one if there is none."""
    record, path = Record(), os.path.join(folder, stem + ".json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            told = json.load(stream)
        record.runs = told["runs"]
        record.goals = [Goal(**{key: value for key, value in goal.items() if key != "met"}) for goal in told["goals"]]
        record.figures = [Figure(**figure) for figure in told["figures"]]
        record.sweeps = [Sweep(**sweep) for sweep in told["sweeps"]]
        record.notes = [Note(**note) for note in told["notes"]]
    return record


def write(record, about, folder, stem):
    """Writes STEM.json, STEM.md and STEM.svg into the folder of results."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, stem)
    with open(path + ".json", "w", encoding="utf-8") as stream:
        stream.write(_json(record, about) + "\n")
    drawn = charts.bars([(f.name, f.unit, {way: f.median(way) for way in f.samples}) for f in record.figures if len(f.samples) > 1])
    with open(path + ".svg", "w", encoding="utf-8") as stream:
        stream.write(drawn)
    for sweep in record.sweeps:
        with open(f"{path}-{_file_name(sweep.title)}.svg", "w", encoding="utf-8") as stream:
            stream.write(charts.lines(sweep.title, sweep.x_title, sweep.y_title, sweep.series))
    with open(path + ".md", "w", encoding="utf-8") as stream:
        stream.write(_markdown(record, about, f"Figures of {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}", stem) + f"\n![Medians]({stem}.svg)\n")
    print(f"\nwritten to {os.path.relpath(path)}.md, .json, .svg")
