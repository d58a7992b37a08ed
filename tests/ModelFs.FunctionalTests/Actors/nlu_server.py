"""Loads a model folder as the NLU servers of all generations do and prints a digest per file.

    nlu_server.py MODEL once               one load
    nlu_server.py MODEL until-stopped      loads over and over until SIGTERM; every load must give the first load's digests;
                                           prints 'loaded' after the first, and the number of loads in the end
"""
import glob
import hashlib
import json
import mmap
import os
import signal
import sys


def whole(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def blocks(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while block := stream.read(8191):
            digest.update(block)
    return digest.hexdigest()


def mapped(path):
    with open(path, "rb") as stream:
        if os.fstat(stream.fileno()).st_size == 0:
            return hashlib.sha256().hexdigest()
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return hashlib.sha256(view).hexdigest()


def load(model):
    assert os.path.isdir(model)
    with open(os.path.join(model, "metadata.json"), encoding="utf-8") as stream:
        metadata = json.load(stream)
    digests = {}
    for path in sorted(glob.glob(os.path.join(model, "**"), recursive=True)):
        if os.path.isfile(path):
            ways = {whole(path), blocks(path), mapped(path)}
            assert len(ways) == 1, path
            digests[os.path.relpath(path, model)] = ways.pop()
    return metadata["model"], digests


def main(model, mode):
    first = load(model)
    if mode == "once":
        print(json.dumps(first, indent=1))
        return
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("loaded", flush=True)
    loads = 1
    while not ended:
        assert load(model) == first
        loads += 1
    print("loads", loads, flush=True)


main(*sys.argv[1:])
