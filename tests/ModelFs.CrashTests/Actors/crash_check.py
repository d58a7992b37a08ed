"""Compares the archives of a store with what was acknowledged, by Python's own tarfile and nothing of the product's.

    crash_check.py FOLDER BASE MANIFEST…    FOLDER: the archives; BASE: the models as they were at the beginning, unpacked

Prints how many models and entries were compared. Every model that a writer has a file in must be there, byte for byte; one that was
deleted must not.
"""
import os
import sys
import tarfile

import oracle


def of_archive(path, model):
    entries = {}
    with tarfile.open(path, "r:gz") as tar:
        for member in tar.getmembers():
            name = member.name.removeprefix("./").strip("/")
            if name != model and not name.startswith(model + "/"):
                raise SystemExit(f"LOST: {path} holds {member.name}")
            if member.isdir():
                entries[name] = ["d"]
            elif member.issym():
                entries[name] = ["l", member.linkname]
            else:
                entries[name] = ["f", member.mode, tar.extractfile(member).read()]
    return entries


def of_folder(folder):
    """What was packed before the first writer came."""
    entries = {}
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.relpath(os.path.join(top, name), folder)
            entries[path] = oracle.read_node(folder, path)
    return entries


def main(store, base, *manifests):
    expected = of_folder(base)
    for manifest in manifests:
        tree, op, _, _ = oracle.load(manifest)
        if op is not None:
            raise SystemExit(f"{manifest} ends with {op}, which nobody settled")
        for path, node in tree.items():
            expected[path] = ["f", node[1], oracle.content(node[2])] if node[0] == "f" else node
    models = {}
    for path, node in expected.items():
        models.setdefault(path.split("/")[0], {})[path] = node
    # A model without any file is never published.
    models = {name: entries for name, entries in models.items() if any(node[0] == "f" for node in entries.values())}
    empty = {path.split("/")[0] for path in expected} - set(models)
    there = {name.removesuffix(".tar.gz") for name in os.listdir(store) if name[0] != "."}
    differences = [f"{name} is missing in the store" for name in sorted(set(models) - there)]
    differences += [f"{name} was deleted, and is in the store" for name in sorted(there - set(models) - empty)]
    for name in sorted(set(models) & there):
        actual = of_archive(os.path.join(store, name + ".tar.gz"), name)
        actual.setdefault(name, ["d"])
        models[name].setdefault(name, ["d"])
        for path in sorted(set(actual) | set(models[name])):
            if actual.get(path) != models[name].get(path):
                differences.append(f"{path} should be {oracle.describe(models[name].get(path))} and is {oracle.describe(actual.get(path))}")
    if differences:
        explained = "\n".join(oracle.explain(manifest, differences[0].split()[0]) for manifest in manifests)
        raise SystemExit("LOST: " + "\n".join(differences) + "\n" + explained)
    print(len(models), sum(len(entries) for entries in models.values()))


main(*sys.argv[1:])
