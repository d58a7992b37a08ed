#!/usr/bin/python3
"""Saves, fetches and inspects model documents with pymongo, the way Rasa NLU's MongoDBPersistor does.

  persistor.py save URI COLLECTION NAME FOLDER     inserts one document of FOLDER's files
  persistor.py fetch URI COLLECTION NAME FOLDER    find_one, then every field but _id and model_name becomes a file
  persistor.py fields URI COLLECTION NAME          one line per field of each document: name, Python type, binary subtype
  persistor.py insert URI COLLECTION               inserts the BSON documents that stand on standard input
  persistor.py gridfs URI BUCKET FILENAME          writes a GridFS file to standard output
  persistor.py dumps                               json.dumps of each line's json.loads
"""
import json
import os
import sys


def collection(uri, name):
    import pymongo
    return pymongo.MongoClient(uri).get_default_database()[name]


def save(uri, name, model, folder):
    document = {"model_name": model}
    for parent, _, names in os.walk(folder):
        for file in names:
            path = os.path.join(parent, file)
            field = os.path.relpath(path, folder)
            if path.endswith(".json"):
                with open(path, encoding="utf-8") as text:
                    document[field] = json.load(text)
            else:
                import bson
                with open(path, "rb") as data:
                    document[field] = bson.Binary(data.read())
    collection(uri, name).insert(document, check_keys=False)


def fetch(uri, name, model, folder):
    document = collection(uri, name).find_one({"model_name": model})
    document.pop("_id")
    document.pop("model_name")
    for field, value in document.items():
        path = os.path.join(folder, field)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if field.endswith(".json"):
            with open(path, "w", encoding="ascii") as text:
                json.dump(value, text)
        else:
            with open(path, "wb") as data:
                data.write(value)


def fields(uri, name, model):
    for document in collection(uri, name).find({"model_name": model}):
        for field, value in document.items():
            print(f"{field} {type(value).__name__} {getattr(value, 'subtype', 0) if isinstance(value, bytes) else '-'}")


def insert(uri, name):
    import bson
    for document in bson.decode_all(sys.stdin.buffer.read()):
        collection(uri, name).insert(document, check_keys=False)


def gridfs(uri, bucket, filename):
    import gridfs as module
    import pymongo
    database = pymongo.MongoClient(uri).get_default_database()
    entry = database[bucket].files.find_one({"filename": filename})
    chunks = database[bucket].chunks.find({"files_id": entry["_id"]}).sort("n", 1)
    assert module.grid_file.GridOut(database[bucket], file_document=entry).length == entry["length"]
    sys.stdout.buffer.write(b"".join(chunk["data"] for chunk in chunks)[:entry["length"]])


def dumps():
    for line in sys.stdin:
        print(json.dumps(json.loads(line)))


import warnings  # noqa: E402: pymongo 3 says that insert is deprecated; it is what the class calls.
warnings.simplefilter("ignore")
{"save": save, "fetch": fetch, "fields": fields, "insert": insert, "gridfs": gridfs, "dumps": dumps}[sys.argv[1]](*sys.argv[2:])
