# -*- coding: utf-8 -*-
"""Packs a model folder as a generation of Rasa does: pack.py LAYOUT FORMAT MODEL-FOLDER ARCHIVE-WITHOUT-ENDING. Runs on Python 2.7 and 3.6+."""
import os
import shutil
import sys
import tarfile

layout, tar_format, folder, base = sys.argv[1:]
tarfile.TarFile.format = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT}[tar_format]
parent, name = os.path.split(os.path.abspath(folder))
base = os.path.abspath(base)

if layout == "named":
    shutil.make_archive(base, "gztar", root_dir=parent, base_dir=name)
elif layout == "dot":
    shutil.make_archive(base, "gztar", root_dir=folder, base_dir=".")
else:
    with tarfile.open(base + ".tar.gz", "w:gz") as tar:
        if layout == "bare":
            for entry in os.listdir(folder):
                tar.add(os.path.join(folder, entry), arcname=entry)
        else:
            tar.add(folder, arcname="")
