"""Checks that no edit was lost among several mounts of one store.

    history_check.py ARCHIVE MODEL NOTES=ROOT…    after everything was published; the mounts still stand

Every line that a mount acknowledged is in the store's version, or in one that this mount keeps as the loser of a conflict. The store's
version is one chain: each line was written behind the one before it, so of two edits of one version only one won. What the store was said
to have, it has.
"""
import os
import sys
import tarfile


def lines_of(text):
    return [tuple(line.split()) for line in text.decode().split("\n")[:-1]]


def main(archive, model, *mounts):
    with tarfile.open(archive) as tar:
        chain = lines_of(tar.extractfile(f"{model}/history").read())
    problems = []
    for before, line in zip([("start", "")] + chain, chain):
        if line[1] != before[0]:
            problems.append(f"the store's version is no chain: {line[0]} was written behind {line[1]}, and stands behind {before[0]}")
    stored = {ident for ident, _ in chain}
    if len(stored) != len(chain):
        problems.append("a line stands in the store twice")
    acknowledged = kept_count = 0
    for mount in mounts:
        notes, root = mount.split("=")
        kept, conflicts = set(), os.path.join(root, ".modelfs", "conflicts")
        for name in os.listdir(conflicts) if os.path.isdir(conflicts) else []:
            with open(os.path.join(conflicts, name, "history"), "rb") as file:
                kept |= {ident for ident, _ in lines_of(file.read())}
            kept_count += 1
        with open(notes, encoding="utf-8") as log:
            entries = [line.split() for line in log]
        for verb, ident in entries:
            if verb == "wrote":
                acknowledged += 1
                if ident not in stored and ident not in kept:
                    problems.append(f"LOST: {ident}, acknowledged by {root}")
            elif verb == "synced" and ident not in stored:
                problems.append(f"LOST: the store was said to have {ident}")
    if problems:
        raise SystemExit("\n".join(problems))
    print("acknowledged", acknowledged, "in the store", len(chain), "conflicts", kept_count)


main(*sys.argv[1:])
