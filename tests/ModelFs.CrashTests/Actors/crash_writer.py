"""A writer of the crash tests: seeded operations on its own files of a mount, with a manifest of what was acknowledged.

    crash_writer.py ROOT MANIFEST SEED WRITER OPERATIONS MODEL…

It owns MODEL/WRITER/ in every MODEL, and new models of its own, WRITER-0 to WRITER-2. First it settles what the last death left open, and
reads everything that it ever wrote. Then it works in bursts until MANIFEST.end exists, or it did as many OPERATIONS. A mount that
died is no failure of the writer's (exit code 3); a lost change, a wrong byte and an error that nothing explains are (1).
"""
import errno
import json
import os
import random
import sys
import time

import oracle

DEAD = {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENODEV}
# Refusals that the documents name: a model that is being published, a name of another model or of a published one.
REFUSED = {"rmdir": {errno.EBUSY, errno.EPERM}, "rename": {errno.EBUSY, errno.EPERM, errno.EXDEV}}
MODES = [0o644, 0o600, 0o755]
# Seconds in which a model that is busy must be done with, however loaded the machine is: it ends a broken mount, it measures nothing.
PATIENCE = 120
NAMES = ["a", "b", "c", "d", "e", "f", "ü"]


class Dead(Exception):
    """The mount is gone."""


class Writer:
    def __init__(self, root, manifest, seed, name, models):
        self.root, self.name, self.models = root, name, models
        self.random = random.Random(seed)
        self.tree, self.open_op, self.kept, self.number = oracle.load(manifest)
        self.manifest = open(manifest, "a", encoding="utf-8", buffering=1)
        self.acknowledged = 0

    def note(self, **entry):
        self.manifest.write(json.dumps(entry) + "\n")

    def at(self, path):
        return os.path.join(self.root, path)

    # What the last death left.

    def settle(self):
        if self.open_op is not None:
            actual = {path: oracle.read_node(self.root, path) for path in oracle.touched(self.tree, self.open_op)}
            found = oracle.plausible(self.tree, self.open_op, self.kept, actual)
            if self.open_op["do"] == "rmdir" and "/" not in self.open_op["path"]:
                # A removal of a model that was begun may be finished by the next mount, while this one looks: it is done to its end here.
                end = time.monotonic() + PATIENCE
                while time.monotonic() < end:
                    try:
                        os.rmdir(self.at(self.open_op["path"]))
                    except FileNotFoundError:
                        break
                    except OSError as failure:
                        if failure.errno not in REFUSED["rmdir"]:
                            raise
                        time.sleep(0.05)
                found = {self.open_op["path"]: None}
            self.note(n=self.open_op["n"], found=found)
            oracle.apply(self.tree, found)

    def read_all(self):
        """Everything, by name and byte; and nothing else is there."""
        for path, node in sorted(self.tree.items()):
            actual = oracle.read_node(self.root, path)
            if not oracle.same(node, actual):
                raise SystemExit(f"LOST: {path} should be {oracle.describe(node)} and is {oracle.describe(actual)}")
            if node[0] == "d":
                names = sorted(os.listdir(self.at(path)))
                expected = sorted(each[len(path) + 1:] for each in self.tree if each.startswith(path + "/") and "/" not in each[len(path) + 1:])
                if names != expected:
                    raise SystemExit(f"LOST: {path}/ should hold {expected} and holds {names}")
        return len(self.tree)

    def finish_removals(self):
        """An `rm -r` that was cut off is done again: a model without any file is never published, so the store still has the old one."""
        for home in self.homes():
            if home in self.tree and "/" not in home and all(self.tree[path][0] != "f" for path in oracle.below(self.tree, home)):
                self.remove(home)

    # One operation.

    def run(self, do, path, **more):
        self.number += 1
        op = {"n": self.number, "do": do, "path": path, **more}
        self.kept = None
        self.note(**op)
        try:
            getattr(self, "do_" + do)(op)
        except OSError as failure:
            if failure.errno in DEAD:
                raise Dead(f"{op}: {failure}") from failure
            if failure.errno in REFUSED.get(do, ()):
                self.note(n=op["n"], refused=errno.errorcode[failure.errno])
                return False
            raise SystemExit(f"{op}: {failure}") from failure
        self.note(n=op["n"], ok=True)
        oracle.apply(self.tree, oracle.changes(self.tree, op))
        self.acknowledged += 1
        return True

    def do_write(self, op, flags=os.O_TRUNC):
        data = oracle.stream(op["id"], 0, op["size"])
        file = os.open(self.at(op["path"]), os.O_WRONLY | os.O_CREAT | flags, op["mode"])
        try:
            for start in range(0, len(data), op["chunk"]):
                write_all(file, data[start:start + op["chunk"]])
                if start + op["chunk"] < len(data) and self.random.random() < 0.1:
                    os.fsync(file)
                    self.keep(op, start + op["chunk"])
            if op["fsync"]:
                os.fsync(file)
                self.keep(op, len(data))
        finally:
            os.close(file)

    def keep(self, op, size):
        self.kept = size
        self.note(n=op["n"], kept=size)

    def do_append(self, op):
        self.do_write(op, os.O_APPEND)

    def do_truncate(self, op):
        os.truncate(self.at(op["path"]), op["size"])

    def do_chmod(self, op):
        os.chmod(self.at(op["path"]), op["mode"])

    def do_mkdir(self, op):
        os.mkdir(self.at(op["path"]), 0o755)

    def do_symlink(self, op):
        os.symlink(op["target"], self.at(op["path"]))

    def do_unlink(self, op):
        os.unlink(self.at(op["path"]))

    def do_rmdir(self, op):
        os.rmdir(self.at(op["path"]))

    def do_rename(self, op):
        os.rename(self.at(op["path"]), self.at(op["to"]))

    def do_fsync(self, op):
        file = os.open(self.at(op["path"]), os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    # What to do next.

    def pick(self, kinds, path=""):
        found = [each for each, node in self.tree.items() if node[0] in kinds and each.startswith(path) and each.count("/") > 0
                 and not (each.count("/") == 1 and each.endswith("/" + self.name))]
        return self.random.choice(found) if found else None

    def homes(self):
        return [f"{model}/{self.name}" for model in self.models] + [f"{self.name}-{n}" for n in range(3)]

    def folder(self):
        """A folder to work in; made when it is not there."""
        home = self.random.choice(self.homes())
        if home not in self.tree:
            self.run("mkdir", home)
        inside = [each for each in oracle.below(self.tree, home) if self.tree[each][0] == "d"]
        return self.random.choice(inside)

    def write(self, path, do="write", size=None):
        size = self.random.choice([0, 1, 100, 5000, 70000, 200000, 400000]) if size is None else size
        self.run(do, path, id=f"{self.name}/{self.number}/{self.random.random()}", size=size, mode=self.random.choice(MODES),
                 chunk=self.random.choice([1000, 50000, 300000]), fsync=self.random.random() < 0.2)

    def remove_model(self):
        """`rm -r`, then the folder itself: what deletes a model."""
        homes = [home for home in self.homes() if "/" not in home and home in self.tree]
        if homes:
            self.remove(self.random.choice(homes))

    def remove(self, home):
        for path in sorted(oracle.below(self.tree, home), reverse=True):
            if path != home:
                self.run("rmdir" if self.tree[path] == ["d"] else "unlink", path)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.run("rmdir", home):
                return
            time.sleep(0.05)
        raise SystemExit(f"{home} can't be removed: it stays busy")

    def rename_model(self):
        homes = [home for home in self.homes() if "/" not in home]
        here, free = [home for home in homes if home in self.tree], [home for home in homes if home not in self.tree]
        if here and free:
            self.run("rename", self.random.choice(here), to=self.random.choice(free))

    def step(self):
        choice = self.random.randrange(100)
        folder = self.folder()
        path = f"{folder}/{self.random.choice(NAMES)}"
        node = self.tree.get(path)
        if choice < 30 and (node is None or node[0] == "f"):
            self.write(path)
        elif choice < 45 and (node is None or node[0] == "f"):
            self.write(path + "~")
            self.run("rename", path + "~", to=path)
        elif choice < 55 and node is not None and node[0] == "f":
            self.write(path, "append")
        elif choice < 60 and node is None:
            self.run("mkdir", path)
        elif choice < 63 and node is None:
            self.run("symlink", path, target=self.random.choice(NAMES))
        elif choice < 70 and node is not None and node[0] == "f":
            self.run("truncate", path, size=self.random.randrange(3000))
        elif choice < 75 and node is not None and node[0] == "f":
            self.run("chmod", path, mode=self.random.choice(MODES))
        elif choice < 83 and node is not None:
            if node[0] != "d":
                self.run("unlink", path)
            elif len(oracle.below(self.tree, path)) == 1:
                self.run("rmdir", path)
        elif choice < 90 and node is None and (source := self.pick("fd")) and source.split("/")[0] == folder.split("/")[0] and not (folder + "/").startswith(source + "/"):
            self.run("rename", source, to=path)
        elif choice < 93 and node is not None and node[0] != "l":
            self.run("fsync", path)
        elif choice < 96 and folder.count("/") == 0:
            self.write(f"{folder}/metadata.json", size=50)
        elif choice < 97:
            self.remove_model()
        elif choice < 98:
            self.rename_model()
        elif node is not None and not oracle.same(node, oracle.read_node(self.root, path)):
            raise SystemExit(f"LOST: {path} should be {oracle.describe(node)} and is {oracle.describe(oracle.read_node(self.root, path))}")


def write_all(file, data):
    """A write acknowledges as many bytes as it returns: the mount may die in the middle of one."""
    while data:
        data = data[os.write(file, data):]


def main(root, manifest, seed, name, operations, *models):
    writer = Writer(root, manifest, seed, name, models)
    try:
        writer.settle()
        print("read", writer.read_all(), flush=True)
        writer.finish_removals()
        while not os.path.exists(manifest + ".end") and writer.acknowledged < int(operations):
            for _ in range(writer.random.randrange(1, 12)):
                writer.step()
            time.sleep(writer.random.choice([0, 0.02, 0.1, 0.3, 0.6]))
    except Dead as death:
        print("dead", death, flush=True)
    except OSError as failure:
        if failure.errno not in DEAD:
            raise
        print("dead", failure, flush=True)
    print("acknowledged", writer.acknowledged, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SystemExit as end:
        if str(end).startswith("LOST: "):
            raise SystemExit(f"{end}\n{oracle.explain(sys.argv[2], str(end).split()[1])}") from None
        raise
