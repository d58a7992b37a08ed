"""The models that are measured with, and their archives as other tools make them.

Archives are made once and kept below artifacts/bench-models (ignored by git), because making them the way the Rasa persistors do takes longer
than a bench. The same arguments give the same bytes.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import tarfile

from .machine import run

MIB = 1 << 20
VERSION = 1


def weights(rng, size):
    """About `size` bytes of float32 weights, normally distributed with deviation 0.05, as a generator of blocks.

    The two upper bytes (sign, exponent, upper mantissa) are those of real normal samples, at a place of a large table that no deflate window
    reaches back to; the two lower ones of a trained weight are as good as random.
    """
    count = 1 << 20
    table = bytearray(4 * count)
    import array
    values = array.array("f", (rng.gauss(0.0, 0.05) for _ in range(count)))
    table[:] = values.tobytes()
    upper2, upper3 = bytes(table[2::4]), bytes(table[3::4])
    left = size
    while left > 0:
        at = rng.randrange(count)
        block = bytearray(4 * count)
        block[0::4] = rng.randbytes(count)
        block[1::4] = rng.randbytes(count)
        block[2::4] = upper2[at:] + upper2[:at]
        block[3::4] = upper3[at:] + upper3[:at]
        yield block[:left] if left < len(block) else block
        left -= len(block)


def text(rng, size):
    """About `size` bytes of JSON training examples, as a generator of blocks: words by Zipf's law, numbers among them."""
    letters = "etaoinshrdlcumwfgypbvk"
    words = ["".join(rng.choices(letters, k=rng.randrange(2, 11))) for _ in range(20_000)]
    cumulative, total = [], 0.0
    for rank in range(len(words)):
        total += 1 / (rank + 3)
        cumulative.append(total)
    left = size
    while left > 0:
        chosen = rng.choices(words, cum_weights=cumulative, k=20_000)
        examples = [{"text": " ".join(chosen[at:at + 10]), "intent": chosen[at], "confidence": round(rng.random(), 6)} for at in range(0, len(chosen), 10)]
        block = json.dumps(examples, indent=1).encode()[:left]
        yield block
        left -= len(block)


def write(path, blocks):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        for block in blocks:
            stream.write(block)


def write_metadata(folder, name):
    write(os.path.join(folder, "metadata.json"), [json.dumps({"language": "en", "model": name, "rasa_nlu_version": "0.9.1", "trained_at": "20170501-101010",
                                                             "pipeline": ["nlp_spacy", "ner_crf", "intent_classifier_sklearn"]}, indent=2).encode()])


def big(folder, mib=512):
    """Weights in 4 files and JSON of a 26th of their size."""
    rng = random.Random(f"big/{mib}")
    for number in range(4):
        write(f"{folder}/layer_{number}/weights.bin", weights(rng, mib * MIB // 4))
    write(f"{folder}/training_data.json", text(rng, mib * MIB * 20 // 512))


def mixed(folder, mib=200, files=400):
    """60 % text and 40 % weights, in files of many sizes."""
    rng = random.Random(f"mixed/{mib}/{files}")
    shares = [rng.lognormvariate(0, 1.2) for _ in range(files)]
    for number, share in enumerate(shares):
        is_text = number % 5 < 3
        total = sum(s for other, s in enumerate(shares) if (other % 5 < 3) == is_text)
        size = int(mib * MIB * (0.6 if is_text else 0.4) * share / total)
        write(f"{folder}/part_{number // 50:02}/{'text' if is_text else 'weights'}_{number:03}", (text if is_text else weights_small)(rng, size))


def weights_small(rng, size):
    """As weights(), for small sizes: no large table."""
    import array
    samples = array.array("f", (rng.gauss(0.0, 0.05) for _ in range(min(size // 4 + 1, 1 << 16)))).tobytes()
    upper2, upper3 = samples[2::4], samples[3::4]
    left = size
    while left > 0:
        count = len(samples) // 4
        block = bytearray(len(samples))
        block[0::4] = rng.randbytes(count)
        block[1::4] = rng.randbytes(count)
        at = rng.randrange(count)
        block[2::4] = upper2[at:] + upper2[:at]
        block[3::4] = upper3[at:] + upper3[:at]
        yield block[:left] if left < len(block) else block
        left -= len(block)


def small_files(folder, count, size=4096):
    """Files of one size, at most 1,000 in a folder."""
    rng = random.Random(f"small/{count}/{size}")
    for number in range(count):
        write(f"{folder}/{number // 1000:03}/file_{number:06}", [rng.randbytes(size // 2) + (b'{"feature": %d} ' % number * size)[:size - size // 2]])


def typical(folder, seed=0):
    """A model of the first Rasa versions: about 0.15 MB packed."""
    rng = random.Random(f"typical/{seed}")
    write(f"{folder}/training_data.json", text(rng, 60_000))
    write(f"{folder}/intent_classifier.pkl", weights_small(rng, 130_000))
    write(f"{folder}/entity_synonyms.json", [b'{"chines": "chinese"}'])


def even(folder, mib, seed=0):
    """Weights of one size in one file."""
    write(f"{folder}/weights.bin", weights_small(random.Random(f"even/{mib}/{seed}"), mib * MIB))


@contextlib.contextmanager
def _time_stops():
    """What is made once for all runs does not count for the time that a run may take."""
    left = signal.alarm(0)
    try:
        yield
    finally:
        signal.alarm(left)


class Models:
    """Trees and archives by name, made when they are first asked for."""

    def __init__(self, repository):
        self.root = os.path.join(repository, "artifacts/bench-models", str(VERSION))

    def tree(self, name, make):
        """A folder NAME that `make` filled, with a metadata.json."""
        folder = os.path.join(self.root, "trees", name)
        if os.path.isdir(folder):
            return folder
        with _time_stops():
            partial = folder + ".partial"
            shutil.rmtree(partial, ignore_errors=True)
            os.makedirs(partial)
            make(partial)
            write_metadata(partial, name)
            os.rename(partial, folder)
        return folder

    def archive(self, name, make, as_python=False):
        """NAME.tar.gz with one top folder NAME: by Python's tarfile as the Rasa persistors made it, or by GNU tar and igzip, which is faster."""
        path = os.path.join(self.root, "archives", name + ".tar.gz")
        if os.path.exists(path):
            return path
        folder = self.tree(name, make)
        with _time_stops():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            partial = path + ".partial"
            if as_python:
                with tarfile.open(partial, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=6) as tar:
                    tar.add(folder, arcname=name)
            else:
                run(f"tar -C '{os.path.dirname(folder)}' -cf - '{name}' | igzip -3 -c >'{partial}'", timeout=300)
            os.rename(partial, path)
        return path

    def made(self, file_name, make):
        """A file that `make` writes at the path that it gets."""
        path = os.path.join(self.root, "archives", file_name)
        if os.path.exists(path):
            return path
        with _time_stops():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            make(path + ".partial")
            os.rename(path + ".partial", path)
        return path


def repeated_archive(path, name, mib, files=4):
    """A tar.gz of `files` files of weights; 16 MiB of content are compressed once and stand in it again and again as gzip members."""
    import gzip
    import io
    import zlib
    content = b"".join(weights_small(random.Random("repeated"), min(16, max(1, mib // files)) * MIB))
    member = gzip.compress(content, 1, mtime=0)
    assert zlib.crc32(content) == int.from_bytes(member[-8:-4], "little")

    def header(info):
        return gzip.compress(info.tobuf(tarfile.PAX_FORMAT), 6, mtime=0)
    size = max(mib * MIB // files, len(content))
    with open(path, "wb") as stream:
        folder = tarfile.TarInfo(name)
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        stream.write(header(folder))
        for number in range(files if mib >= files else mib):
            info = tarfile.TarInfo(f"{name}/weights_{number}.bin")
            info.size, info.mtime = size, 1_600_000_000
            stream.write(header(info))
            for _ in range(size // len(content)):
                stream.write(member)
        data = json.dumps({"model": name}).encode()
        info = tarfile.TarInfo(f"{name}/metadata.json")
        info.size = len(data)
        tail = io.BytesIO()
        tail.write(info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512) + bytes(1024))
        stream.write(gzip.compress(tail.getvalue(), 6, mtime=0))


def many_files_archive(path, name, count, size=1024):
    """A tar.gz of files of one size, at most 1,000 in a folder, made without a tree."""
    import gzip
    import io
    rng = random.Random(f"many/{count}")
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for number in range(count):
            info = tarfile.TarInfo(f"{name}/{number // 1000:03}/file_{number:06}")
            info.size, info.mtime = size, 1_600_000_000
            tar.addfile(info, io.BytesIO(rng.randbytes(size // 2) + b"0123456789abcdef" * (size // 32)))
        info = tarfile.TarInfo(f"{name}/metadata.json")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
