"""Appends to one file of one model, together with writers on other mounts of the same store, and notes what became of each line.

    history_writer.py ROOT NOTES NAME MODEL SEED    until NOTES.end exists

A line is "ID PREVIOUS": the id of the line that it was written behind, so that any two versions tell which descends from which. Notes:
"wrote ID" when close returned, "synced ID" when the store was said to have it.
"""
import errno
import os
import random
import sys
import time

# A version gave way to another one, a publish is under way, or the store is cut off: nothing was acknowledged, try again.
AGAIN = {errno.ESTALE, errno.ENOENT, errno.EBUSY, errno.EIO, errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH}


def append(path, name, number):
    file = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        lines = os.pread(file, size, 0).decode().split("\n")[:-1]
        ident = f"{name}-{number}"
        os.write(file, f"{ident} {lines[-1].split()[0] if lines else 'start'}\n".encode())
        return ident
    finally:
        os.close(file)


def main(root, notes, name, model, seed):
    rng = random.Random(seed)
    folder, number, written = os.path.join(root, model), 0, None
    with open(notes, "a", encoding="utf-8", buffering=1) as log:
        while not os.path.exists(notes + ".end"):
            number += 1
            try:
                os.listdir(root)
                written = append(os.path.join(folder, "history"), name, number)
                log.write(f"wrote {written}\n")
                if rng.random() < 0.3:
                    os.setxattr(folder, "user.modelfs.sync", b"1")
                    log.write(f"synced {written}\n")
            except OSError as failure:
                if failure.errno not in AGAIN:
                    raise
                log.write(f"failed {errno.errorcode[failure.errno]}\n")
            time.sleep(rng.choice([0, 0.02, 0.1, 0.3, 0.7]))


main(*sys.argv[1:])
