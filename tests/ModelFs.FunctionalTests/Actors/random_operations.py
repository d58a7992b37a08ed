"""Does the same random operations on two folders and fails at the first difference in what they answer.

    random_operations.py SEED COUNT FOLDER ORACLE      the oracle is a local folder with the same content
"""
import errno
import os
import random
import stat
import sys

NAMES = ["a", "b", "ä", "metadata.json", "ner", "model", "x" * 200]


def run(operation, folder, arguments):
    """An operation's answer: its value, or the name of its error."""
    try:
        return operation(folder, *arguments)
    except OSError as failure:
        return errno.errorcode[failure.errno]


def at(folder, path):
    return os.path.join(folder, path)


def write(folder, path, mode, offset, content):
    descriptor = os.open(at(folder, path), mode, 0o644)
    try:
        return os.pwrite(descriptor, content, offset)
    finally:
        os.close(descriptor)


def append(folder, path, content):
    descriptor = os.open(at(folder, path), os.O_WRONLY | os.O_APPEND)
    try:
        return os.write(descriptor, content)
    finally:
        os.close(descriptor)


def read(folder, path, offset, length):
    descriptor = os.open(at(folder, path), os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


def describe(folder, path):
    info = os.lstat(at(folder, path))
    size = info.st_size if stat.S_ISREG(info.st_mode) else None
    return info.st_mode, size, info.st_nlink if stat.S_ISREG(info.st_mode) else None


def rename(folder, one, other):
    os.rename(at(folder, one), at(folder, other))


def held_while_removed(folder, path, content):
    """An open file outlives its name."""
    descriptor = os.open(at(folder, path), os.O_RDWR)
    try:
        os.unlink(at(folder, path))
        os.pwrite(descriptor, content, 0)
        return os.pread(descriptor, 1 << 20, 0)
    finally:
        os.close(descriptor)


def times(folder, path, moment):
    os.utime(at(folder, path), (moment, moment), follow_symlinks=False)
    return os.lstat(at(folder, path)).st_mtime


def choose(rng):
    path = "/".join(rng.choice(NAMES) for _ in range(rng.choice([1, 1, 2, 2, 3])))
    other = "/".join(rng.choice(NAMES) for _ in range(rng.choice([1, 2])))
    content = rng.randbytes(rng.choice([0, 1, 100, 5000, 70000]))
    offset = rng.choice([0, 0, 1, 4096, 100000])
    create, exclusive, shorten = os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return rng.choice([
        (write, (path, rng.choice([create, exclusive, shorten, os.O_RDWR]), offset, content)),
        (append, (path, content)),
        (read, (path, offset, rng.choice([10, 100000]))),
        (read, (path, 0, 1 << 20)),
        (describe, (path,)),
        (describe, (path,)),
        (rename, (path, other)),
        (held_while_removed, (path, content)),
        (times, (path, rng.randrange(1, 2_000_000_000))),
        (lambda folder, name: os.unlink(at(folder, name)), (path,)),
        (lambda folder, name: os.mkdir(at(folder, name)), (path,)),
        (lambda folder, name: os.rmdir(at(folder, name)), (path,)),
        (lambda folder, name: sorted(os.listdir(at(folder, name))), (path,)),
        (lambda folder, name, mode: os.chmod(at(folder, name), mode), (path, rng.choice([0o600, 0o644, 0o755]))),
        (lambda folder, name, size: os.truncate(at(folder, name), size), (path, rng.choice([0, 10, 5000, 200000]))),
        (lambda folder, name: os.symlink("metadata.json", at(folder, name)), (path,)),
        (lambda folder, name: os.readlink(at(folder, name)), (path,)),
    ])


def main(seed, count, folder, oracle):
    rng = random.Random(int(seed))
    os.umask(0o022)
    done = 0
    for step in range(int(count)):
        operation, arguments = choose(rng)
        expected = run(operation, oracle, arguments)
        answer = run(operation, folder, arguments)
        shown = [argument if not isinstance(argument, bytes) else f"{len(argument)} bytes" for argument in arguments]
        if answer != expected:
            raise SystemExit(f"seed {seed}, step {step}: {operation.__name__} {shown}\n mount:  {str(answer)[:200]}\n oracle: {str(expected)[:200]}")
        done += not isinstance(expected, str)
    print("seed", seed, "steps", count, "of them without an error", done)


main(*sys.argv[1:])
