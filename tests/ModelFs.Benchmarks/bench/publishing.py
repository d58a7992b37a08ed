"""A changed model goes back to the store: S6."""
import os
import shutil

from . import peers
from .figures import OURS
from .machine import Cost, run
from .product import Mount

BUCKET = "publish"
TAR_IGZIP = "tar | igzip -1, boto3"


def whole(context):
    """S6: one file of 'big' was edited; pack it, and send it."""
    name, archive = context.big()
    tree = context.models.tree(name, None)
    size = os.path.getsize(archive)
    server = context.server
    server.create(BUCKET)
    pack = context.record.figure("publish", "pack 'big' after one edit", "s")
    sent = context.record.figure("publish", "pack and publish 'big' after one edit", "s")
    sizes = context.record.figure("publish", "size of the archive, of gzip -6", "×")
    for number in range(context.rounds):
        for way in ([peers.RASA, TAR_IGZIP, OURS] if number % 2 == 0 else [OURS, TAR_IGZIP, peers.RASA]):
            if way == peers.RASA:
                if number < (2 if context.quick else 3):
                    _rasa(context, server, tree, pack, sent)
            elif way == TAR_IGZIP:
                _tar_igzip(context, server, tree, sent)
            else:
                _ours(context, server, name, archive, size, pack, sent, sizes)
    context.record.goal("S6", "pack 'big', faster than shutil.make_archive (to a folder store, its copying included)", pack.ratio(peers.RASA, OURS), ">=", 12)
    context.record.goal("S6", "pack and publish 'big', faster than shutil.make_archive and boto3", sent.ratio(peers.RASA, OURS), ">=", 6)
    context.record.goal("S6", "pack and publish 'big', faster than tar | igzip -1 and boto3", sent.ratio(TAR_IGZIP, OURS), ">=", 1.2)
    context.record.goal("S6", "size of the archive of 'big', of gzip -6 (10 % where weights are stored)", sizes.median(OURS), "<=", 1.10)
    context.end_server()


def _rasa(context, server, tree, pack, sent):
    cost = run(["/usr/bin/python3", os.path.join(peers.HERE, "rasa.py"), "publish", server.endpoint, BUCKET, "rasa.tar.gz", tree])
    packed, published = map(float, cost.output.split())
    os.remove(os.path.join(os.path.dirname(tree), "rasa.made.tar.gz"))
    pack.add(peers.RASA, packed)
    sent.add(peers.RASA, published, cost)


def _tar_igzip(context, server, tree, sent):
    with peers.scratch(context.machine) as folder:
        first = run(f"tar -C '{os.path.dirname(tree)}' -cf - '{os.path.basename(tree)}' | igzip -1 -c >'{folder}/made.tar.gz'")
        second = run(["/usr/bin/python3", os.path.join(peers.HERE, "rasa.py"), "upload", server.endpoint, BUCKET, "igzip.tar.gz", f"{folder}/made.tar.gz"])
        sent.add(TAR_IGZIP, first.seconds + float(second.output), Cost(0, first.cpu + second.cpu, max(first.peak_mb, second.peak_mb)))


def _ours(context, server, name, archive, size, pack, sent, sizes):
    """To a folder store (packing, mostly) and to the server, each time from the foreign archive, so that nothing of an earlier pack can be used."""
    store = context.machine.folder("store")
    shutil.copy(archive, f"{store}/{name}.tar.gz")
    pack.add(OURS, (cost := _edit_and_sync(context, store, name)).seconds, cost)
    sizes.add(OURS, os.path.getsize(f"{store}/{name}.tar.gz") / size)
    server.upload(archive, f"{name}.tar.gz", BUCKET)
    sent.add(OURS, (cost := _edit_and_sync(context, server.url(BUCKET), name)).seconds, cost)
    shutil.rmtree(store)


def _edit_and_sync(context, store, name):
    with Mount(context.machine, store, "--settle", "600") as mount:
        context.machine.probe_run("read", f"{mount.path}/{name}")
        with open(f"{mount.path}/{name}/training_data.json", "r+b") as stream:
            stream.seek(1000)
            stream.write(b"edited")
        before = mount.cpu()
        cost = mount.sync(name)
        return Cost(cost.seconds, cost.cpu + mount.cpu() - before, mount.peak_mb())
