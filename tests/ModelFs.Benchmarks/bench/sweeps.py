"""How cost grows: with the size of a model, the number of its files, the models in the store, the readers at once."""
import os
import time

from . import models, peers
from .cold import sized_archive
from .figures import OURS, in_turn
from .machine import Cost, drop_caches, run
from .product import Mount, cold_read


def _rounds(context):
    return 1 if context.quick else 3


def _grow(context, title, x_title, y_title, points, measure):
    """Measures each point; `measure(x)` gives {series: value}, a None leaves a point out."""
    series = {}
    for x in points:
        for name, value in measure(x).items():
            if value is not None:
                series.setdefault(name, []).append((x, value))
    context.record.sweep(title, x_title, y_title, series)


def size(context):
    """1 MiB to 4 GiB of weights in four files."""
    memory = []

    def measure(mib):
        name = f"sized_{mib}"
        key = context.stored(name, sized_archive(context, mib))
        figure = context.record.figure("sweep", f"cold load of {mib:,} MiB", "s")
        in_turn(figure, {OURS: lambda: _cold(lambda: cold_read(context.machine, context.server.url(), name)), peers.PIPE: lambda: _cold(lambda: peers.pipe(context.machine, context.server, key))}, _rounds(context))
        memory.append((mib, max(figure.peak_mb[OURS])))
        context.server.client.delete_object(Bucket="models", Key=key)
        return {way: figure.median(way) for way in figure.samples}
    _grow(context, "Cold load by size", "MiB of weights", "seconds", [1, 4, 16, 64, 256, 1024] + ([] if context.quick else [4096]), measure)
    context.record.sweep("Peak memory of the daemon by size", "MiB of weights", "MB", {OURS: memory})


def files(context):
    """10 to 100,000 files of 1 KiB."""
    def measure(count):
        name = f"many_{count}"
        archive = context.models.made(f"{name}.tar.gz", lambda path: models.many_files_archive(path, name, count))
        key = context.stored(name, archive)
        figure = context.record.figure("sweep", f"cold load of {count:,} files", "s")
        in_turn(figure, {OURS: lambda: _cold(lambda: cold_read(context.machine, context.server.url(), name)), peers.GZIP_PIPE: lambda: _cold(lambda: peers.gzip_pipe(context.machine, context.server, key))}, _rounds(context))
        return {way: figure.median(way) for way in figure.samples}
    _grow(context, "Cold load by number of files", "files of 1 KiB", "seconds", [10, 100, 1_000, 10_000] + ([] if context.quick else [100_000]), measure)


def listing(context):
    """10 to 100,000 models in a store: until the first ls ends. From 20,000 on in a folder only, because filling a bucket takes longer than listing it."""
    memory = []
    with open(context.models.archive("typical", models.typical), "rb") as stream:
        content = stream.read(512)

    def measure(count):
        folder = context.machine.folder("store")
        for number in range(count):
            # A file system takes 65,000 names of one file.
            if number % 50_000 == 0:
                first = f"{folder}/model_{number:06}.tar.gz"
                with open(first, "wb") as stream:
                    stream.write(content)
            else:
                os.link(first, f"{folder}/model_{number:06}.tar.gz")
        values = {}
        values["folder, mount and ls"], peak = _mount_and_list(context, folder, count)
        memory.append((count, peak))
        if count <= (1_000 if context.quick else 10_000):
            bucket = f"sweep-{count}"
            context.server.fill(bucket, count, content)
            values["S3, mount and ls"], _ = _mount_and_list(context, context.server.url(bucket), count)
            values["S3, bare LIST pages"] = min(context.server.list_bare(bucket) for _ in range(3))
        return values
    _grow(context, "Listing by number of models", "models in the store", "seconds", [10, 100, 1_000, 10_000] + ([] if context.quick else [100_000]), measure)
    context.record.sweep("Memory of an idle daemon by number of models", "models in the store", "MB", {OURS: memory})


def readers(context):
    """1 to 64 readers at once, each of a cold model of 4 MiB of its own."""
    def measure(count):
        names = [f"even_4_{number:02}" for number in range(count)]
        keys = [context.stored(name, context.models.archive(name, lambda folder, n=number: models.even(folder, 4, n))) for number, name in enumerate(names)]
        figure = context.record.figure("sweep", f"{count} readers", "s")

        def ours():
            with Mount(context.machine, context.server.url()) as mount:
                cost = run(_at_once(f"'{context.machine.probe}' read '{mount.path}/{name}'" for name in names))
                return Cost(cost.seconds, cost.cpu + mount.cpu(), mount.peak_mb())

        def pipes():
            with peers.scratch(context.machine) as folder:
                return run(_at_once(f"(mkdir {folder}/{n} && curl -sf '{context.server.object_url(key)}' | igzip -dc | tar -xC {folder}/{n} && '{context.machine.probe}' read {folder}/{n})" for n, key in enumerate(keys)))
        in_turn(figure, {OURS: lambda: _cold(ours), peers.PIPE: lambda: _cold(pipes)}, _rounds(context))
        return {way: figure.median(way) for way in figure.samples}
    _grow(context, "Cold load by number of readers", "readers at once, of a model of 4 MiB each", "seconds", [1, 2, 4, 8, 16, 32, 64], measure)


def _at_once(commands):
    return "\n".join(f"{command} &" for command in commands) + "\nfor job in $(jobs -p); do wait $job || exit 1; done"


def _cold(action):
    drop_caches()
    return action()


def _mount_and_list(context, store, count):
    """(seconds until ls has shown every model, memory afterwards)."""
    with Mount(context.machine, store) as mount:
        cost = run(f"ls '{mount.path}' | wc -l", timeout=120)
        if int(cost.output) != count:
            raise AssertionError(f"ls shows {cost.output.strip()} of {count} models")
        time.sleep(1)
        return mount.ready_seconds + cost.seconds, mount.idle_mb()
