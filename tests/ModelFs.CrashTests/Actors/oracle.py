"""What a tree must be, by what was acknowledged to one writer: the oracle of the crash tests.

A manifest is a file outside of the mount, one JSON value per line, written by the one writer whose it is:

    {"n": 7, "do": "append", "path": "alpha/w0/a", …}    an operation is about to begin
    {"n": 7, "kept": 4096}                                fsync returned in the middle of it: so much of it is sure
    {"n": 7, "ok": true}                                  it returned: acknowledged
    {"n": 7, "refused": "EBUSY"}                          it returned an error, and must have changed nothing
    {"n": 7, "found": {PATH: NODE or null, …}}            it never returned, and this is what it had come to

An operation that never returned, since the mount died, may have happened in part; `plausible` says which outcomes are none of a lost
change. A node is ["d"], ["l", TARGET] or ["f", MODE, [[ID, OFFSET, LENGTH], …]]: the content of a file is made of pieces of streams, each
told by an id, so that it can be made again and cut anywhere.
"""
import hashlib
import json
import os
import stat

ZEROS = "0"


def stream(ident, offset, length):
    if ident == ZEROS:
        return bytes(length)
    return hashlib.shake_128(ident.encode()).digest(offset + length)[offset:]


def content(pieces):
    return b"".join(stream(*piece) for piece in pieces)


def length(pieces):
    return sum(piece[2] for piece in pieces)


def cut(pieces, size):
    """The first `size` bytes, filled with zeros."""
    left, result = size, []
    for ident, offset, count in pieces:
        if left > 0:
            result.append([ident, offset, min(count, left)])
            left -= min(count, left)
    return result + [[ZEROS, 0, left]] if left > 0 else result


def below(tree, path):
    return [each for each in tree if each == path or each.startswith(path + "/")]


def moved(tree, source, target):
    return {target + each[len(source):]: tree[each] for each in below(tree, source)}


def changes(tree, op):
    """What a whole operation does: {path: node, or None where nothing is left}."""
    path, kind = op["path"], op["do"]
    old = tree.get(path)
    if kind == "write":
        return {path: ["f", old[1] if old else op["mode"], [[op["id"], 0, op["size"]]]]}
    if kind == "append":
        return {path: ["f", old[1] if old else op["mode"], (old[2] if old else []) + [[op["id"], 0, op["size"]]]]}
    if kind == "truncate":
        return {path: ["f", old[1], cut(old[2], op["size"])]}
    if kind == "chmod":
        return {path: ["f", op["mode"], old[2]]}
    if kind == "mkdir":
        return {path: ["d"]}
    if kind == "symlink":
        return {path: ["l", op["target"]]}
    if kind in ("unlink", "rmdir"):
        return {path: None}
    if kind == "rename":
        gone = {each: None for each in below(tree, path) + below(tree, op["to"])}
        return gone | moved(tree, path, op["to"])
    if kind == "fsync":
        return {}
    raise SystemExit(f"no such operation: {op}")


def apply(tree, changed):
    for path, node in changed.items():
        if node is None:
            tree.pop(path, None)
        else:
            tree[path] = node


def load(manifest):
    """The tree of all that is decided, and the operation that is not, with how much of it an fsync made sure."""
    tree, op, kept = {}, None, None
    if not os.path.exists(manifest):
        return tree, None, None, 0
    count = 0
    with open(manifest, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if "do" in entry:
                op, kept, count = entry, None, entry["n"]
            elif "kept" in entry:
                kept = entry["kept"]
            elif "ok" in entry:
                apply(tree, changes(tree, op))
                op = None
            elif "refused" in entry:
                op = None
            elif "found" in entry:
                apply(tree, entry["found"])
                op = None
    return tree, op, kept, count


def touched(tree, op):
    """The paths that an operation may have changed."""
    paths = set(changes(tree, op)) | {op["path"]}
    return sorted(paths | set(below(tree, op["path"])))


def read_node(root, path):
    """What stands there: "d", "l TARGET", (mode, bytes), or None."""
    full = os.path.join(root, path)
    try:
        info = os.lstat(full)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(info.st_mode):
        return ["d"]
    if stat.S_ISLNK(info.st_mode):
        return ["l", os.readlink(full)]
    with open(full, "rb") as file:
        return ["f", stat.S_IMODE(info.st_mode), file.read()]


def same(node, actual):
    if node is None or actual is None:
        return node is None and actual is None
    if node[0] != actual[0]:
        return False
    if node[0] == "f":
        return node[1] == actual[1] and content(node[2]) == actual[2]
    return node == actual


def found_node(tree, op, kept, path, actual):
    """The node that `actual` is, if an operation that was cut off may have left it; otherwise an exception."""
    old, new = tree.get(path), changes(tree, op).get(path, tree.get(path))
    if kept is None and same(old, actual):
        return old
    if same(new, actual):
        return new
    if op["do"] in ("write", "append") and actual is not None and actual[0] == "f" and actual[1] == new[1]:
        # Any part of what was being written, but not less than fsync was told to keep, and no other byte.
        size, before = len(actual[2]), 0 if op["do"] == "write" else length(old[2]) if old else 0
        if before + (kept or 0) <= size <= length(new[2]) and actual[2] == content(cut(new[2], size)):
            return ["f", new[1], cut(new[2], size)]
    raise SystemExit(f"LOST: {path} after {op} (sure: {kept}) was {describe(old)}, should be that or {describe(new)}, and is {describe(actual)}")


def plausible(tree, op, kept, actual):
    """Checks what an operation that never returned came to, and says it in the manifest's words."""
    found = {path: found_node(tree, op, kept, path, node) for path, node in actual.items()}
    if op["do"] == "rename":
        whole = below(tree, op["path"])
        at_source = all(found.get(path) is not None for path in whole)
        at_target = all(found.get(op["to"] + path[len(op["path"]):]) is not None for path in whole)
        if not at_source and not at_target:
            raise SystemExit(f"LOST: {op} left neither the old name whole nor the new one: {found}")
    return found


def describe(node):
    if node is None or node[0] != "f":
        return json.dumps(node)
    data = node[2] if isinstance(node[2], bytes) else content(node[2])
    return f"a file, mode {node[1]:o}, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:12]}" + (f", {node[2]}" if not isinstance(node[2], bytes) else "")


def explain(manifest, path):
    """The last operations on the model that a path lies in."""
    model = path.split("/")[0]
    with open(manifest, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    numbers = {entry["n"] for entry in entries if entry.get("path", "").split("/")[0] == model or entry.get("to", "").split("/")[0] == model}
    return "\n".join(json.dumps(entry) for entry in [entry for entry in entries if entry["n"] in numbers][-40:])
