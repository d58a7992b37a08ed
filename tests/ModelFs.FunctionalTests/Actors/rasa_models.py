"""What the persistors of Rasa's generations do with a model, by the calls that their releases make.

    rasa_models.py save GENERATION FOLDER ARCHIVE      packs the model in FOLDER (its name is the model's)
    rasa_models.py extract GENERATION ARCHIVE TARGET   extracts, and prints the folder that holds the model then
    rasa_models.py names ARCHIVE                       the members' names as they are written, one JSON text a line

GENERATION  A (0.4-0.9), B (0.10-0.15), C (1.x-2.x persist), C' (packaged models of 1.x-2.x), D (3.x)
"""
import json
import os
import shutil
import sys
import tarfile


def save(generation, folder, archive):
    base = archive[:-len(".tar.gz")]
    if generation == "A":
        made = shutil.make_archive(base, "gztar", root_dir=os.path.dirname(folder), base_dir=os.path.basename(folder))
    elif generation in ("B", "C"):
        made = shutil.make_archive(base, "gztar", root_dir=folder, base_dir=".")
    else:
        made = archive
        with tarfile.open(archive, "w:gz") as tar:
            if generation == "C'":
                for entry in os.scandir(folder):
                    tar.add(entry.path, arcname=entry.name)
            else:
                tar.add(folder, arcname="")
    assert made == archive, made


def extract(generation, archive, target):
    name = os.path.basename(archive)[:-len(".tar.gz")]
    if generation == "A":
        # path/ is where models stand; the archive brings the model's folder.
        place, model = target, os.path.join(target, name)
    elif generation == "B":
        project, model_name = name.split("___")
        place = model = os.path.join(target, project, model_name)
    else:
        place = model = os.path.join(target, "unpacked")
    os.makedirs(place, exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        tar.extractall(place)
    print(model)


def names(archive):
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            print(json.dumps(member.name))


{"save": save, "extract": extract, "names": names}[sys.argv[1]](*sys.argv[2:])
