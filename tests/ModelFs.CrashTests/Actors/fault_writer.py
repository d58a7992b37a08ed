"""Does one of everything while the disk below fails, and notes what was acknowledged, as crash_writer.py does.

    fault_writer.py ROOT MANIFEST ERROR WRITER MODEL

An operation may fail with ERROR, the one that the disk gives; what it left is looked at once, and must be none of a lost change. Prints how
many operations succeeded and failed.
"""
import errno
import os
import sys

import crash_writer
import oracle


class FaultWriter(crash_writer.Writer):
    def __init__(self, root, manifest, error, name, model):
        super().__init__(root, manifest, 0, name, [model])
        self.error = error
        self.failed = 0
        self.settle()

    def run(self, do, path, **more):
        try:
            return super().run(do, path, **more)
        except (crash_writer.Dead, SystemExit) as failure:
            cause = failure.__cause__
            if not isinstance(cause, OSError) or cause.errno != self.error:
                raise SystemExit(f"expected {errno.errorcode[self.error]} or success: {failure}") from failure
            self.failed += 1
            self.open_op = {"n": self.number, "do": do, "path": path, **more}
            self.settle()
            self.open_op = None
            return False


def put(writer, path, do="write", size=40000, fsync=True):
    writer.run(do, path, id=f"{writer.name}/{path}/{writer.number}", size=size, mode=0o644, chunk=30000, fsync=fsync)


def is_file(writer, path):
    return writer.tree.get(path, ["?"])[0] == "f"


def main(root, manifest, error, name, model):
    writer = FaultWriter(root, manifest, getattr(errno, error), name, model)
    home = f"{model}/{name}"
    if home not in writer.tree:
        writer.run("mkdir", home)
    if home in writer.tree:
        put(writer, f"{home}/a")
        put(writer, f"{home}/a", "append", fsync=False)
        put(writer, f"{home}/b~", fsync=True)
        if is_file(writer, f"{home}/b~"):
            writer.run("rename", f"{home}/b~", to=f"{home}/b")
        if is_file(writer, f"{home}/b"):
            writer.run("truncate", f"{home}/b", size=100)
            writer.run("chmod", f"{home}/b", mode=0o600)
        if f"{home}/d" not in writer.tree:
            writer.run("mkdir", f"{home}/d")
        else:
            writer.run("rmdir", f"{home}/d")
        if f"{home}/l" in writer.tree:
            writer.run("unlink", f"{home}/l")
        else:
            writer.run("symlink", f"{home}/l", target="a")
        writer.run("fsync", home)
    # A model of its own, as a trainer makes it; the next round finds its name taken and deletes it.
    new = f"{name}-0"
    if new in writer.tree:
        for path in sorted(oracle.below(writer.tree, new), reverse=True):
            if not writer.run("rmdir" if writer.tree[path] == ["d"] else "unlink", path):
                break  # as `rm -r`: the folder of what stayed is not empty
    elif writer.run("mkdir", new):
        put(writer, f"{new}/weights")
        put(writer, f"{new}/metadata.json", size=20, fsync=False)
    print("succeeded", writer.acknowledged, "failed", writer.failed)


main(*sys.argv[1:])
