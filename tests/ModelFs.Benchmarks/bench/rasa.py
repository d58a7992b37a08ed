"""What Rasa NLU's AWS persistor does, as a program: `rasa.py fetch|publish ...`. Prints the seconds of its steps without Python's own start.

  fetch ENDPOINT BUCKET KEY FOLDER      download_fileobj to a file, tarfile.extractall, then every file is read once
  publish ENDPOINT BUCKET KEY FOLDER    shutil.make_archive, then upload_fileobj; prints both times
  upload ENDPOINT BUCKET KEY FILE       upload_fileobj alone
"""
import os
import shutil
import sys
import tarfile
import time

import boto3


def fetch(bucket, key, folder):
    archive = os.path.join(folder, key)
    with open(archive, "wb") as stream:
        bucket.download_fileobj(key, stream)
    target = os.path.join(folder, "models")
    with tarfile.open(archive, "r:gz") as tar:
        tar.extractall(target)
    for top, _, files in os.walk(target):
        for name in files:
            with open(os.path.join(top, name), "rb", buffering=0) as stream:
                while stream.read(1 << 20):
                    pass


def main():
    what, endpoint, name, key, folder = sys.argv[1:]
    start = time.perf_counter()
    bucket = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1").Bucket(name)
    if what == "fetch":
        fetch(bucket, key, folder)
        print(time.perf_counter() - start)
    elif what == "upload":
        with open(folder, "rb") as stream:
            bucket.upload_fileobj(stream, key)
        print(time.perf_counter() - start)
    else:
        made = shutil.make_archive(os.path.join(os.path.dirname(folder), key.removesuffix(".tar.gz") + ".made"), "gztar", os.path.dirname(folder), os.path.basename(folder))
        packed = time.perf_counter()
        with open(made, "rb") as stream:
            bucket.upload_fileobj(stream, key)
        print(packed - start, time.perf_counter() - start)


main()
