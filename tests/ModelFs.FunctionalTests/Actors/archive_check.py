"""What Python's own tarfile reads from a published archive.

    archive_check.py compare ARCHIVE FOLDER MODEL    fails with the differences when the archive is not FOLDER, entry by entry
    archive_check.py members ARCHIVE MODEL           the entries' paths inside of the model, sorted
    archive_check.py layout ARCHIVE MODEL            A, B, C or D
"""
import hashlib
import os
import stat
import sys
import tarfile


def layout(names, model):
    if names[0] == "":
        return "D"
    if names[0] == "." or names[0].startswith("./"):
        return "B"
    return "A" if all(name == model or name.startswith(model + "/") for name in names) else "C"


def inside(name, model, kind):
    if kind == "A":
        name = name[len(model):]
    elif kind == "B":
        name = name[1:]
    return name.strip("/")


def of_archive(path, model):
    entries = {}
    with tarfile.open(path, "r:gz") as tar:
        members = tar.getmembers()
        kind = layout([member.name for member in members], model)
        for member in members:
            name = inside(member.name, model, kind)
            if member.uid or member.gid:
                raise SystemExit(f"{member.name}: owner {member.uid}/{member.gid}, not 0/0")
            if member.issym():
                entries[name] = ("link", member.linkname)
            elif member.isdir():
                entries[name] = ("folder", member.mode, member.mtime)
            elif member.isreg():
                content = tar.extractfile(member).read()
                entries[name] = ("file", member.mode, member.mtime, len(content), hashlib.sha256(content).hexdigest())
            else:
                raise SystemExit(f"{member.name}: type {member.type!r} has no place in a model's archive")
    return entries, kind


def of_folder(folder):
    entries = {}
    for top, folders, files in os.walk(folder):
        for item in folders + files:
            path = os.path.join(top, item)
            info = os.lstat(path)
            name = os.path.relpath(path, folder)
            if stat.S_ISLNK(info.st_mode):
                entries[name] = ("link", os.readlink(path))
            elif stat.S_ISDIR(info.st_mode):
                entries[name] = ("folder", stat.S_IMODE(info.st_mode), info.st_mtime)
            else:
                with open(path, "rb") as stream:
                    content = stream.read()
                entries[name] = ("file", stat.S_IMODE(info.st_mode), info.st_mtime, len(content), hashlib.sha256(content).hexdigest())
    return entries


def same(one, other):
    """Times may differ by what a float loses."""
    if one is None or other is None or one[0] != other[0] or len(one) != len(other):
        return False
    if one[0] == "link":
        return one == other
    return one[:2] == other[:2] and abs(one[2] - other[2]) < 1e-5 and one[3:] == other[3:]


def main(action, archive, *rest):
    entries, kind = of_archive(archive, rest[-1])
    entries.pop("", None)
    if action == "layout":
        print(kind)
    elif action == "members":
        print("\n".join(sorted(entries)))
    else:
        expected = of_folder(rest[0])
        differences = [f"{name}: archive {entries.get(name)}, folder {expected.get(name)}"
                       for name in sorted(set(entries) | set(expected)) if not same(entries.get(name), expected.get(name))]
        if differences:
            raise SystemExit("\n".join(differences))


main(*sys.argv[1:])
