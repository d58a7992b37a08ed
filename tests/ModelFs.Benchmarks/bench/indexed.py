"""Archives with an index, as ModelFs writes them, beside their foreign selves: cold listing, one file, the whole, a server's start, and small changes."""
import concurrent.futures
import os
import shutil
import statistics
import time

from . import models, peers
from .figures import OURS, in_turn
from .machine import drop_caches, run
from .product import Mount, cold_read, program

BUCKET = "indexed"


def _indexed(context, name, archive):
    """Puts the archive into the bucket and has ModelFs give it an index; the key."""
    server, key = context.server, name + ".tar.gz"
    server.create(BUCKET)
    if not server.has(key, BUCKET):
        store = context.machine.folder("store")
        shutil.copy(archive, f"{store}/{key}")
        run([program(context.machine), "index", store, "--all"], timeout=300)
        server.upload(f"{store}/{key}", key, BUCKET)
        shutil.rmtree(store)
    return key


def whole(context):
    """The whole model: ModelFs on the indexed archive, others on the foreign one."""
    server = context.server
    for title, (name, archive), pipe_bound, rasa_bound in (("big", context.big(), 3.0, 4.0), ("mixed", context.mixed(), 2.0, 3.5)):
        foreign = context.stored(name, archive)
        _indexed(context, name, archive)
        figure = context.record.figure("indexed", f"cold load of indexed '{title}', of others from the foreign archive", "s")

        def cold(action):
            drop_caches()
            return action()
        in_turn(figure, {OURS: lambda: cold(lambda: cold_read(context.machine, server.url(BUCKET), name)), peers.PIPE: lambda: cold(lambda: peers.pipe(context.machine, server, foreign)),
                         peers.RASA: lambda: cold(lambda: peers.rasa(context.machine, server, foreign))}, context.rounds)
        context.record.goal("I5", f"cold load of indexed '{title}', faster than curl | igzip | tar of the foreign one", figure.ratio(peers.PIPE, OURS), ">=", pipe_bound)
        context.record.goal("I5", f"cold load of indexed '{title}', faster than the Rasa way", figure.ratio(peers.RASA, OURS), ">=", rasa_bound)


def cold_look(context):
    """
    ls -lR of a model of 1,000 files that was never fetched, and in another mount its metadata.json: its time as users have it, its bytes with `--hydrate file`. By default
    the whole model follows the first open in the background, so that bytes that are counted after it are also those of the rest.
    """
    server, name = context.server, "indexed_thousand"
    mib = 256 if context.quick else 2048
    archive = context.models.archive(f"{name}_{mib}", lambda folder: _thousand(folder, mib))
    key = _indexed(context, f"{name}_{mib}", archive)
    figure = context.record.figure("indexed", f"first look into a model of {mib} MiB and 1,000 files", "ms")
    sent = context.record.figure("indexed", f"bytes of the bucket for it, of {mib} MiB", "KiB")
    trip = 1000 * server.round_trip(key, 256 << 10, BUCKET)
    for _ in range(context.rounds):
        with Mount(context.machine, server.url(BUCKET)) as mount:
            os.listdir(mount.path)
            before = mount.status()["requests"].get("store.bytes_in", 0)
            figure.add("ls -lR", 1000 * run(["ls", "-lR", f"{mount.path}/{name}_{mib}"]).seconds)
            sent.add("ls -lR", (mount.status()["requests"].get("store.bytes_in", 0) - before) / 1024)
        with Mount(context.machine, server.url(BUCKET)) as mount:
            os.listdir(mount.path)
            figure.add("cat metadata.json", 1000 * context.machine.probe_run("read", f"{mount.path}/{name}_{mib}/metadata.json")[0])
        with Mount(context.machine, server.url(BUCKET), "--hydrate", "file") as mount:
            os.listdir(mount.path)
            before = mount.status()["requests"].get("store.bytes_in", 0)
            context.machine.probe_run("read", f"{mount.path}/{name}_{mib}/metadata.json")
            sent.add("cat metadata.json", (mount.status()["requests"].get("store.bytes_in", 0) - before) / 1024)
    context.record.goal("I2", f"ls -lR of a cold model (3 round trips of {trip:.1f} ms + 20 ms)", figure.median("ls -lR"), "<=", 3 * trip + 20, "ms")
    context.record.goal("I3", "bytes for cat metadata.json of a cold model, with --hydrate file", sent.median("cat metadata.json"), "<=", 1024, "KiB")


def _thousand(folder, mib):
    models.even(folder, mib)
    models.small_files(folder + "/small", 998)


def server_start(context):
    """
    A server opens all files of a cold model, one after the other, and reads each whole; beside it the bare transfer of the archive, and the same reads of a local folder: once as
    cold as the model is, from its disk, and once when it is in memory already.
    """
    server = context.server
    for title, (name, archive) in (("big", context.big()), ("mixed", context.mixed())):
        key = _indexed(context, name, archive)
        tree = context.models.tree(name, None)
        files = sorted((os.path.relpath(os.path.join(folder, file), tree) for folder, _, names in os.walk(tree) for file in names), key=lambda path: (path != "metadata.json", path))
        figure = context.record.figure("indexed", f"a server's start from indexed '{title}': every file in order, each whole", "s")
        for _ in range(context.rounds):
            drop_caches()
            with Mount(context.machine, server.url(BUCKET)) as mount:
                figure.add(OURS, run([context.machine.probe, "read", *(f"{mount.path}/{name}/{file}" for file in files)]).seconds)
            transfer = run(f"curl -sf '{server.object_url(key, BUCKET)}' -o /dev/null").seconds
            drop_caches()
            for how in ("from its disk", "in memory"):
                figure.add(f"transfer, then a local copy {how}", transfer + run([context.machine.probe, "read", *(f"{tree}/{file}" for file in files)]).seconds)
        for how in ("from its disk", "in memory"):
            context.record.goal("I5", f"a server's start from indexed '{title}', of transfer and local copy {how}", figure.ratio(OURS, f"transfer, then a local copy {how}"), "<=", 1.15)


def small_change(context):
    """10 KB changed at the beginning, in the middle and at the end of a file of 1 GiB: published by the server's own copying of what did not change."""
    # What was stored before and what is replaced here would not both fit into the server's memory.
    context.end_server()
    server, mib = context.server, 256 if context.quick else 1024
    name = f"even_{mib}"
    key = _indexed(context, name, context.models.archive(name, lambda folder: models.even(folder, mib)))
    figure = context.record.figure("indexed", f"publish of 10 KB changed in {mib} MiB", "s")
    sent = context.record.figure("indexed", "bytes sent for it", "MiB")
    with Mount(context.machine, server.url(BUCKET), "--settle", "600") as mount:
        context.machine.probe_run("read", f"{mount.path}/{name}")
        # The first publish of a mount also finds out which conditions the server keeps.
        os.mkdir(f"{mount.path}/tiny")
        with open(f"{mount.path}/tiny/metadata.json", "w", encoding="ascii") as stream:
            stream.write("{}")
        mount.sync("tiny")
        # Three rounds: the server frees replaced objects late, and has 8 GiB of memory for them.
        for mebibyte in (1, mib // 2, mib - 1):
            _edit(mount, name, mebibyte)
            before = mount.status()["requests"].get("store.bytes_out", 0)
            figure.add(OURS, mount.sync(name).seconds)
            sent.add(OURS, (mount.status()["requests"].get("store.bytes_out", 0) - before) / (1 << 20))
            figure.add("bare compose", _compose(server, key))
    context.record.goal("I6", f"10 KB changed in {mib} MiB: sent, the worst of three places", max(sent.samples[OURS]), "<=", 6, "MiB")
    context.record.goal("I6", f"10 KB changed in {mib} MiB: time, of the server's bare compose", figure.ratio(OURS, "bare compose"), "<=", 1.2)


def _edit(mount, name, mebibyte):
    with open(f"{mount.path}/{name}/weights.bin", "r+b") as stream:
        stream.seek(mebibyte << 20)
        stream.write(os.urandom(10_000))


def _compose(server, key):
    """Seconds for a server-side copy of the object in parts, four at once as ModelFs does it: one after the other takes longer."""
    size = server.client.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
    count = max(4, -(-size // (256 << 20)))
    bounds = [size * number // count for number in range(count + 1)]
    start = time.perf_counter()
    upload = server.client.create_multipart_upload(Bucket=BUCKET, Key="composed")["UploadId"]

    def copy(number):
        copied = server.client.upload_part_copy(Bucket=BUCKET, Key="composed", UploadId=upload, PartNumber=number + 1, CopySource={"Bucket": BUCKET, "Key": key},
                                                CopySourceRange=f"bytes={bounds[number]}-{bounds[number + 1] - 1}")
        return {"PartNumber": number + 1, "ETag": copied["CopyPartResult"]["ETag"]}

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(copy, range(count)))
    server.client.complete_multipart_upload(Bucket=BUCKET, Key="composed", UploadId=upload, MultipartUpload={"Parts": parts})
    seconds = time.perf_counter() - start
    server.client.delete_object(Bucket=BUCKET, Key="composed")
    return seconds
