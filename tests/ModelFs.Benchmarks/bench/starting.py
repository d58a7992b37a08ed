"""Starting and listing: S7, S10."""
import os
import time

from . import models
from .figures import OURS, in_turn
from .machine import Cost, run
from .product import Mount, program


def ready(context):
    """S10: how soon a mount is ready, and what an idle daemon holds that lists 10,000 models."""
    folder = context.machine.folder("store")
    archive = context.models.archive("typical", models.typical)
    first = f"{folder}/model_000000.tar.gz"
    run(["cp", archive, first])
    figure = context.record.figure("start", "mount ready", "ms")

    def once(store):
        with Mount(context.machine, store) as mount:
            return 1000 * mount.ready_seconds
    in_turn(figure, {"folder": lambda: once(folder), "S3": lambda: once(context.server.url())}, max(5, context.rounds))
    context.record.goal("S10", "mount ready, folder", figure.median("folder"), "<=", 100, "ms")
    context.record.goal("S10", "mount ready, S3", figure.median("S3"), "<=", 500, "ms")

    for number in range(1, 10_000):
        os.link(first, f"{folder}/model_{number:06}.tar.gz")
    with Mount(context.machine, folder) as mount:
        if len(os.listdir(mount.path)) != 10_000:
            raise AssertionError("not all of the 10,000 models are listed")
        run(["ls", "-l", mount.path])
        time.sleep(2)
        idle = mount.idle_mb()
    context.record.figure("start", "memory of an idle daemon, 10,000 models listed", "MB").add(OURS, idle)
    context.record.goal("S10", "memory of an idle daemon, 10,000 models listed", idle, "<=", 80, "MB")


def listing(context):
    """S7: a bucket of 20,000 models (a quick run: 5,000), listed cold, and once more."""
    count, bucket, server = 5_000 if context.quick else 20_000, "many", context.server
    with open(context.models.archive("typical", models.typical), "rb") as stream:
        server.fill(bucket, count, stream.read(512))
    figure = context.record.figure("start", f"listing of {count:,} models", "s")
    again = context.record.figure("start", f"second ls of {count:,} models", "ms")

    def ours():
        with Mount(context.machine, server.url(bucket)) as mount:
            cost = run(f"ls '{mount.path}' | wc -l")
            if int(cost.output) != count:
                raise AssertionError(f"ls shows {cost.output.strip()} of {count} models")
            again.add(OURS, 1000 * run(f"ls '{mount.path}' >/dev/null").seconds)
            return Cost(mount.ready_seconds + cost.seconds, mount.cpu(), mount.peak_mb())

    def command():
        return run(f"'{program(context.machine)}' ls '{server.url(bucket)}' >/dev/null")
    bare = "bare LIST pages"
    in_turn(figure, {f"{OURS}: mount and ls": ours, bare: lambda: server.list_bare(bucket), "modelfs ls": command}, context.rounds)
    context.record.goal("S7", f"mount and first ls of {count:,} models, of the bare LIST pages", figure.ratio(f"{OURS}: mount and ls", bare), "<=", 1.2)
    context.record.goal("S7", f"modelfs ls of {count:,} models, of the bare LIST pages", figure.ratio("modelfs ls", bare), "<=", 1.2)
    context.record.goal("S7", f"second ls of {count:,} models", again.median(OURS), "<=", 50, "ms")
    context.end_server()
