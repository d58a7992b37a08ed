"""Writes through the mount beside writes to the disk of the cache: S11."""
import os
import shutil

from .figures import OURS, in_turn
from .machine import Cost, run
from .product import Mount

NATIVE = "native"


def files(context):
    """S11: one large file, and many small ones, without and with fsync."""
    store, native = context.machine.folder("store"), context.machine.folder("native")
    # As large as this in a quick run, too: the new model's mark on the disk, a few milliseconds, belongs to its first file.
    mib = 1024
    count, synced_count = 5000, 500 if context.quick else 1000
    # Nothing is published while it is measured, and the models are removed in the end: see peers.scratch for why not before.
    with Mount(context.machine, store, "--settle", "3600", "--settle-new", "3600") as mount:
        for title, words, bound in ((f"write of {mib} MiB in sequence", ["write", "{}/file", mib], 0.9),
                                    (f"{count:,} small files", ["create", "{}", count, 1024], 0.25),
                                    (f"{synced_count:,} small files with fsync", ["create", "{}", synced_count, 1024, "--fsync"], 0.4)):
            figure = context.record.figure("write", title, "s")
            in_turn(figure, {OURS: lambda: _in_new_folder(context, mount.path, mount, *words), NATIVE: lambda: _in_new_folder(context, native, None, *words)}, context.rounds)
            context.record.goal("S11", f"{title}, of the native speed", figure.ratio(NATIVE, OURS), ">=", bound)
        for top in (mount.path, native):
            for name in os.listdir(top):
                shutil.rmtree(f"{top}/{name}")


def _in_new_folder(context, top, mount, *words):
    os.sync()
    folder = f"{top}/written_{len(os.listdir(top))}"
    os.mkdir(folder)
    before = mount.cpu() if mount else 0
    cost = run([context.machine.probe, *(str(word).format(folder) for word in words)])
    cpu = cost.cpu + (mount.cpu() - before if mount else 0)
    if words[0] == "write":
        os.remove(f"{folder}/file")
    return Cost(float(cost.output.split()[0]), cpu, mount.peak_mb() if mount else cost.peak_mb)
