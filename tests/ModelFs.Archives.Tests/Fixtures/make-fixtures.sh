#!/bin/bash
# Makes the archives of this folder with the writers that models in the wild were made with.
# Needs Debian's python3, GNU tar, bzip2, zip; PYTHON27 and PYTHON36 name old interpreters (their archives are kept when they are not there).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
/usr/bin/python3 "$here/make-tree.py" "$work" "$here"

for layout in named dot bare emptyroot; do
    /usr/bin/python3 "$here/pack.py" $layout gnu "$work/full/bert" "$here/$layout-gnu.full"
    /usr/bin/python3 "$here/pack.py" $layout pax "$work/full/bert" "$here/$layout-pax.full"
    /usr/bin/python3 "$here/pack.py" $layout ustar "$work/short/bert" "$here/$layout-ustar.short"
done

for old in 27:${PYTHON27:-} 36:${PYTHON36:-}; do
    [ -x "${old#*:}" ] || continue
    LC_ALL=C.UTF-8 "${old#*:}" "$here/pack.py" named gnu "$work/full/bert" "$here/named-python${old%%:*}.full"
    LC_ALL=C.UTF-8 "${old#*:}" "$here/pack.py" dot gnu "$work/full/bert" "$here/dot-python${old%%:*}.full"
done

tar -C "$work/full" --format=gnu -czf "$here/named-tar-gnu.full.tar.gz" bert
tar -C "$work/full/bert" --format=posix -czf "$here/dot-tar-posix.full.tar.gz" .
tar -C "$work/short/bert" --format=ustar -czf "$here/dot-tar-ustar.short.tar.gz" .
tar -C "$work/full" --format=posix -cjf "$here/named-tar-posix.full.tar.bz2" bert
tar -C "$work/full" --format=posix -cf "$work/plain.tar" bert
cp "$work/plain.tar" "$here/named-tar-posix.full.tar"
(cd "$work/full" && zip -qry "$here/named-zip.full.zip" bert)
(cd "$work/full/bert" && zip -qry "$here/bare-zip.full.zip" .)

# A V7 tar knows no types but file and link: folders are names with a slash at the end.
(cd "$work/short/bert" && tar --format=v7 --exclude='d*' -czf "$here/dot-tar-v7.short.tar.gz" .)

# Several gzip members, with every optional header field, and zeros behind the last one.
/usr/bin/python3 - "$here/named-tar-gnu.full.tar.gz" "$here/named-members.full.tar.gz" <<'PYTHON'
import gzip, struct, sys, zlib
data = gzip.open(sys.argv[1]).read()
def member(part, flags):
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03"
    if flags & 4: head += struct.pack("<H", 6) + b"MF\x02\x00xy"
    if flags & 8: head += b"name\0"
    if flags & 16: head += b"comment\0"
    if flags & 2: head += struct.pack("<H", zlib.crc32(head) & 0xffff)
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + pack.compress(part) + pack.flush() + struct.pack("<II", zlib.crc32(part), len(part))
parts = [data[:700], b"", data[700:5000], data[5000:]]
with open(sys.argv[2], "wb") as out:
    for part, flags in zip(parts, (4, 2, 31 & ~1, 24)):
        out.write(member(part, flags))
    out.write(bytes(1000))
PYTHON
