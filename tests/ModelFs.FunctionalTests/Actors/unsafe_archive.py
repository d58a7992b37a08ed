"""Writes an archive that must be refused: unsafe_archive.py ARCHIVE KIND"""
import io
import sys
import tarfile


def member(name, kind=tarfile.REGTYPE, content=b"", link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), 0o755
    return info, io.BytesIO(content)


EVIL = "modelfs-evil-marker"
KINDS = {
    "absolute": [member("/tmp/" + EVIL, content=b"x")],
    "parent": [member("../../../../../../../../tmp/" + EVIL, content=b"x")],
    "device": [member("null", tarfile.CHRTYPE)],
    "fifo": [member("pipe", tarfile.FIFOTYPE)],
    "link-out": [member("ner/out", tarfile.SYMTYPE, link="../../secret")],
    "link-absolute": [member("passwd", tarfile.SYMTYPE, link="/etc/passwd")],
    "through-link": [member("here", tarfile.SYMTYPE, link="."), member("here/" + EVIL, content=b"x")],
    "hard-link-out": [member("passwd", tarfile.LNKTYPE, link="../../../../../../../../etc/passwd")],
}


class Zeros(io.RawIOBase):
    def read(self, size=-1):
        return bytes(size)


with tarfile.open(sys.argv[1], "w:gz", compresslevel=1) as tar:
    tar.addfile(*member("metadata.json", content=b"{}"))
    if sys.argv[2] == "bomb":
        bomb = tarfile.TarInfo("zeros")
        bomb.size = 1 << 30
        tar.addfile(bomb, Zeros())
    else:
        for info, content in KINDS[sys.argv[2]]:
            tar.addfile(info, content)
