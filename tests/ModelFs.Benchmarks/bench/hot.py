"""Models that are in the cache, beside the very same files read past the mount: S1, S2, S3, S13."""
import json
import os

from . import models
from .figures import OURS, in_turn
from .machine import run
from .product import Mount

NATIVE = "native"


def _folder_store(context, name, archive):
    store = context.machine.folder("store")
    os.link(archive, os.path.join(store, name + ".tar.gz")) if _same_disk(archive, store) else run(["cp", archive, store])
    return store


def _same_disk(one, other):
    return os.stat(one).st_dev == os.stat(other).st_dev


def reading(context):
    """S1 and S2: a file of 1 GiB, in sequence, mapped, and at random."""
    name = "even_1024"
    archive = context.models.archive(name, lambda folder: models.even(folder, 1024))
    with Mount(context.machine, _folder_store(context, name, archive)) as mount:
        through = f"{mount.path}/{name}/weights.bin"
        context.machine.probe_run("read", through)
        direct = mount.cached(name) + "/weights.bin"
        context.machine.probe_run("read", direct)

        figure = context.record.figure("hot", "sequential read of 1 GiB", "s")
        in_turn(figure, {OURS: lambda: context.machine.probe_run("read", through)[0], NATIVE: lambda: context.machine.probe_run("read", direct)[0]}, max(7, context.rounds))
        context.record.goal("S1", "hot sequential read of 1 GiB, of the native speed", figure.ratio(NATIVE, OURS), ">=", 0.97)

        for what, options, bound in (("mmap, random 4 KiB", ["--ioengine=mmap", "--numjobs=1"], 0.95),
                                     ("read, random 4 KiB, 1 job", ["--ioengine=psync", "--numjobs=1"], 0.80),
                                     ("read, random 4 KiB, 2 jobs", ["--ioengine=psync", "--numjobs=2", "--thread"], 0.90)):
            figure = context.record.figure("hot", what, "operations/s")
            in_turn(figure, {OURS: lambda: _fio(context, through, options), NATIVE: lambda: _fio(context, direct, options)}, context.rounds)
            context.record.goal("S2", f"hot {what}, of the native rate", figure.ratio(OURS, NATIVE), ">=", bound)


def _fio(context, path, options):
    seconds = 1 if context.quick else 1.5
    output = run(["fio", "--name=hot", f"--filename={path}", "--readonly", "--rw=randread", "--bs=4k", "--norandommap", "--time_based", f"--runtime={int(seconds * 1000)}ms",
                  "--group_reporting", "--output-format=json", "--invalidate=0", "--randseed=7", *options], timeout=60, cwd=context.machine.work).output
    return json.loads(output[output.index("{"):])["jobs"][0]["read"]["iops"]


def names(context):
    """S3 and S13: stat, find, ls -lR, and open-read-close of small files."""
    count = 10_000
    name = f"small_{count}"
    archive = context.models.archive(name, lambda folder: models.small_files(folder, count, 2048))
    probe = context.machine.probe_run
    seconds = 0.3 if context.quick else 0.6
    with Mount(context.machine, _folder_store(context, name, archive)) as mount:
        through = f"{mount.path}/{name}"
        probe("read", through)
        direct = mount.cached(name)

        figure = context.record.figure("hot", "stat, warm", "operations/s")
        in_turn(figure, {OURS: lambda: _rate(probe("stat", through, seconds)), NATIVE: lambda: _rate(probe("stat", direct, seconds))}, context.rounds)
        context.record.goal("S3", "warm stat, of the native rate", figure.ratio(OURS, NATIVE), ">=", 0.85)

        for what, command in (("find", "find '{}' -printf '%s %p\\n' >/dev/null"), ("ls -lR", "ls -lR '{}' >/dev/null")):
            run(command.format(through))
            figure = context.record.figure("hot", f"{what} over 10,000 files, warm", "s")
            in_turn(figure, {OURS: lambda: run(command.format(through)), NATIVE: lambda: run(command.format(direct))}, max(5, context.rounds))
            context.record.goal("S3", f"{what} over 10,000 files, of the native speed", figure.ratio(NATIVE, OURS), ">=", 0.6)

        for what, folder in (("1,000 small files", "/001"), ("10,000 small files", "")):
            figure = context.record.figure("hot", f"open, read, close of {what}", "operations/s")
            in_turn(figure, {OURS: lambda: _rate(probe("open", through + folder, seconds)), NATIVE: lambda: _rate(probe("open", direct + folder, seconds))}, context.rounds)
            context.record.goal("S13", f"open, read, close of {what}, of the native rate", figure.ratio(OURS, NATIVE), ">=", 0.12)


def _rate(result):
    return result[1] / result[0]
