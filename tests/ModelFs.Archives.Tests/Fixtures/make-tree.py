#!/usr/bin/python3
"""Makes the model folders that the fixtures are packed from, and says what is in them: make-tree.py FOLDER MANIFEST-FOLDER"""
import hashlib, json, os, sys

T = 1_700_000_000


def put(root, path, content, mode=0o644):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(content)
    os.chmod(full, mode)


def make(root, long_names):
    os.makedirs(root)
    put(root, "metadata.json", b'{"language": "en"}\n')
    put(root, "empty", b"", 0o600)
    put(root, "ner/model", bytes(i * 7 % 256 for i in range(5000)), 0o755)
    put(root, "größe/файл 1.txt", "grüße\n".encode())
    put(root, "exactly-one-block", b"x" * 512, 0o444)
    put(root, "d" * 60 + "/" + "e" * 60, b"needs the prefix of ustar\n")
    os.makedirs(os.path.join(root, "empty-folder"), 0o750)
    os.chmod(os.path.join(root, "empty-folder"), 0o750)
    os.symlink("metadata.json", os.path.join(root, "link"))
    os.symlink("../metadata.json", os.path.join(root, "ner", "up"))
    os.link(os.path.join(root, "ner/model"), os.path.join(root, "second-name"))
    if long_names:
        put(root, "n" * 255, b"255 bytes of name\n")
        put(root, "ä" * 127 + "z", b"255 bytes of UTF-8\n")
        deep = "/".join(["f" * 90] * 4)
        put(root, deep, b"deep\n")
        os.symlink(deep, os.path.join(root, "long-link"))
    stamp(root)


def stamp(root):
    """Times with fractions, folders last; one file has all nine digits."""
    paths = [root] + [os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in folders + files]
    for number, path in enumerate(sorted(paths, reverse=True)):
        nanoseconds = (T + number) * 10**9 + 250_000_000
        if path.endswith("/metadata.json"):
            nanoseconds = T * 10**9 + 123_456_789
        os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)


def describe(root):
    entries = []
    for folder, folders, files in os.walk(root):
        for full in [folder] + [os.path.join(folder, name) for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]]:
            status = os.lstat(full)
            entry = {"path": os.path.relpath(full, root).replace(".", "", 1) if full == root else os.path.relpath(full, root),
                     "mode": status.st_mode & 0o777, "seconds": status.st_mtime_ns // 10**9, "nanoseconds": status.st_mtime_ns % 10**9}
            if os.path.islink(full):
                entry["type"], entry["target"] = "SymbolicLink", os.readlink(full)
            elif os.path.isdir(full):
                entry["type"] = "Directory"
            else:
                entry["type"], entry["size"] = "File", status.st_size
                with open(full, "rb") as file:
                    entry["sha256"] = hashlib.sha256(file.read()).hexdigest()
            entries.append(entry)
    return sorted(entries, key=lambda entry: entry["path"])


if __name__ == "__main__":
    base, manifests = sys.argv[1:]
    for name, long_names in ("full", True), ("short", False):
        root = os.path.join(base, name, "bert")
        make(root, long_names)
        with open(os.path.join(manifests, name + ".json"), "w") as file:
            json.dump(describe(root), file, indent=1, ensure_ascii=False)
            file.write("\n")
