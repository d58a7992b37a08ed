"""Models that are not here yet: S4, S5, S8, S9, S12."""
import os
import statistics

from . import models, peers
from .delay import DelayedServer
from .figures import OURS, in_turn
from .machine import Cost, drop_caches, run
from .product import Mount, cold_read


def _cold(action):
    def measure():
        drop_caches()
        return action()
    return measure


def whole(context):
    """S4: whole foreign archives, fetched, verified and read once."""
    server = context.server
    for title, (name, archive), rasa_bound, pipe_bound in (("big", context.big(), 2.2, 1.5), ("mixed", context.mixed(), 3.0, 1.6)):
        key = context.stored(name, archive)
        figure = context.record.figure("cold", f"cold load of '{title}' ({os.path.getsize(archive) >> 20} MiB packed)", "s")
        ways = {
            OURS: _cold(lambda: cold_read(context.machine, server.url(), name)),
            peers.PIPE: _cold(lambda: peers.pipe(context.machine, server, key)),
            peers.RASA: _cold(lambda: peers.rasa(context.machine, server, key)),
            peers.GZIP_PIPE: _cold(lambda: peers.gzip_pipe(context.machine, server, key)),
            peers.S3FS: _cold(lambda: peers.s3fs(context.machine, server, key)),
            peers.RCLONE: _cold(lambda: peers.rclone(context.machine, server, key)),
            peers.ARCHIVEMOUNT: _cold(lambda: peers.archivemount(context.machine, server, key, timeout=8 if context.quick else 20)),
        }
        few = 1 if context.quick else 3
        slow = {peers.GZIP_PIPE: few, peers.S3FS: few, peers.RCLONE: few, peers.ARCHIVEMOUNT: 1}
        in_turn(figure, ways, context.rounds, slow, context.record.note)
        peers.limits(context.machine, server, key, archive, context.record.figure("cold", f"limits of '{title}'", "s"))
        context.record.goal("S4", f"cold load of '{title}', faster than the Rasa way", figure.ratio(peers.RASA, OURS), ">=", rasa_bound)
        context.record.goal("S4", f"cold load of '{title}', faster than curl | igzip | tar", figure.ratio(peers.PIPE, OURS), ">=", pipe_bound)
        context.record.goal("S9", f"peak memory of the daemon, '{title}'", max(figure.peak_mb[OURS]), "<=", 200, "MB")


def small(context):
    """S5: 5,000 files of 4 KiB."""
    server = context.server
    name = "small_5000"
    key = context.stored(name, context.models.archive(name, lambda folder: models.small_files(folder, 5000), as_python=True))
    figure = context.record.figure("cold", "5,000 files of 4 KiB, fetched", "s")
    in_turn(figure, {OURS: _cold(lambda: _fetch_only(context, name)), peers.GZIP_PIPE: _cold(lambda: peers.gzip_pipe(context.machine, server, key, read=False, keep=True)),
                     peers.PIPE: _cold(lambda: peers.pipe(context.machine, server, key, read=False, keep=True))}, context.rounds)
    context.record.goal("S5", "5,000 files of 4 KiB, fetched, faster than curl | tar xz", figure.ratio(peers.GZIP_PIPE, OURS), ">=", 1.2)
    figure = context.record.figure("cold", "5,000 files of 4 KiB, fetched and read back", "s")
    in_turn(figure, {OURS: _cold(lambda: cold_read(context.machine, server.url(), name)), peers.GZIP_PIPE: _cold(lambda: peers.gzip_pipe(context.machine, server, key, keep=True)),
                     peers.RASA: _cold(lambda: peers.rasa(context.machine, server, key, keep=True))}, context.rounds)
    context.record.goal("S5", "5,000 files of 4 KiB, fetched and read back, of the speed of curl | tar xz", figure.ratio(peers.GZIP_PIPE, OURS), ">=", 0.9)
    context.record.goal("S9", "peak memory of the daemon, 5,000 files", max(figure.peak_mb[OURS]), "<=", 200, "MB")


def _fetch_only(context, name):
    """Until the first file can be read: then the whole foreign archive is here and verified."""
    with Mount(context.machine, context.server.url()) as mount:
        cost = run([context.machine.probe, "first", f"{mount.path}/{name}/metadata.json"])
        return Cost(cost.seconds, cost.cpu + mount.cpu(), mount.peak_mb())


def together(context):
    """S8: 16 readers of 16 models at once."""
    server, count, mib = context.server, 16, 20
    names = [f"even_{mib}_{number:02}" for number in range(count)]
    keys = [context.stored(name, context.models.archive(name, lambda folder, n=number: models.even(folder, mib, n))) for number, name in enumerate(names)]
    fairness = []

    def ours():
        with Mount(context.machine, server.url()) as mount:
            cost = run("\n".join(f"'{context.machine.probe}' read '{mount.path}/{name}' &" for name in names) + "\nfor job in $(jobs -p); do wait $job || exit 1; done")
            ends = sorted(float(line.split()[0]) for line in cost.output.splitlines())
            fairness.append(ends[-1] / statistics.median(ends))
            return Cost(cost.seconds, cost.cpu + mount.cpu(), mount.peak_mb())

    def pipes():
        with peers.scratch(context.machine) as folder:
            jobs = [f"(mkdir {folder}/{n} && curl -sf '{server.object_url(key)}' | igzip -dc | tar -xC {folder}/{n} && '{context.machine.probe}' read {folder}/{n}) &" for n, key in enumerate(keys)]
            return run("\n".join(jobs) + "\nfor job in $(jobs -p); do wait $job || exit 1; done")

    figure = context.record.figure("cold", f"{count} readers of {count} cold models of {mib} MiB", "s")
    in_turn(figure, {OURS: _cold(ours), peers.PIPE: _cold(pipes)}, context.rounds)
    context.record.goal("S8", "16 readers of 16 cold models, of the speed of 16 pipes", figure.ratio(peers.PIPE, OURS), ">=", 0.95)
    context.record.goal("S8", "slowest of 16 readers, of the median reader", statistics.median(fairness), "<=", 2.0)
    context.record.goal("S9", "peak memory of the daemon, 16 readers", max(figure.peak_mb[OURS]), "<=", 200, "MB")


def memory(context):
    """S9: the daemon's peak memory does not grow with the model. The largest model comes from a folder, the others from the server."""
    figure = context.record.figure("cold", "peak memory of the daemon while a model is fetched", "MB")
    for mib in (64, 256) if context.quick else (256, 1024, 4096):
        name = f"sized_{mib}"
        archive = sized_archive(context, mib)
        if mib <= 1024:
            context.stored(name, archive)
            cost = cold_read(context.machine, context.server.url(), name)
        else:
            store = context.machine.folder("store")
            os.symlink(archive, f"{store}/{name}.tar.gz")
            cost = cold_read(context.machine, store, name)
        figure.add(f"{mib} MiB", cost.peak_mb)
        context.record.goal("S9", f"peak memory of the daemon, a model of {mib} MiB", cost.peak_mb, "<=", 200, "MB")
    context.end_server()


def sized_archive(context, mib):
    """A model of one size, made quickly: its files hold the same 16 MiB of weights again and again, each compressed by itself as a gzip member."""
    return context.models.made(f"sized_{mib}.tar.gz", lambda path: models.repeated_archive(path, f"sized_{mib}", mib))


def first_byte(context):
    """S12: the first byte of a typical old model's metadata.json, with the server next door and with 50 ms added to every round trip."""
    server, bucket, count = context.server, "typical", 20
    archive = context.models.archive("typical", models.typical)
    size = os.path.getsize(archive)
    server.create(bucket)
    for number in range(count):
        server.upload(archive, f"typical_{number:02}.tar.gz", bucket)
    figure = context.record.figure("cold", f"first byte of a model of {size // 1024} KiB", "ms")
    for title, endpoint in (("next door", server.endpoint), ("50 ms away", None)):
        with DelayedServer(server.endpoint, 0.050) as delayed:
            endpoint = endpoint or delayed.endpoint
            trip = 1000 * server.round_trip("typical_00.tar.gz", size, bucket, endpoint, times=7)
            with Mount(context.machine, server.url(bucket, endpoint)) as mount:
                os.listdir(mount.path)
                # The folder in the archive is named otherwise than the model, so it is kept.
                samples = [1000 * context.machine.probe_run("first", f"{mount.path}/typical_{number:02}/typical/metadata.json")[0] for number in range(1, 4 if endpoint != server.endpoint and context.quick else count)]
        for sample in samples:
            figure.add(f"{OURS}, {title}", sample)
        figure.add(f"one GET, {title}", trip)
        context.record.goal("S12", f"first byte of a typical model, server {title} (3 round trips of {trip:.1f} ms + 10 ms)", statistics.median(samples), "<=", 3 * trip + 10, "ms")
