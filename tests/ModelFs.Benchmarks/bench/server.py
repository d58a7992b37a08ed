"""The S3 server that everything is fetched from: Ceph's object gateway, with its objects in memory."""
import concurrent.futures
import http.client
import os
import subprocess
import time
import urllib.parse

import boto3
import boto3.s3.transfer
import botocore.config

from .machine import Failed, run

BUCKET = "models"


class Server:
    """Runs while its context is entered."""

    def __init__(self, machine):
        self._script = os.path.join(machine.repository, "scripts/servers/ceph-rgw")
        self._folder = machine.folder("ceph")
        machine.callback(self.stop)
        run([self._script, "start", self._folder], timeout=120)
        with open(os.path.join(self._folder, "env"), encoding="utf-8") as stream:
            settings = dict(line.strip().split("=", 1) for line in stream)
        self.endpoint = settings["S3_ENDPOINT"]
        self.access_key, self.secret_key = settings["S3_ACCESS_KEY"], settings["S3_SECRET_KEY"]
        # The server is reached without TLS, and rclone does not start with a bundle of authorities.
        os.environ.pop("AWS_CA_BUNDLE", None)
        self.pids = [settings[name] for name in ("RGW_PID", "OSD_PID", "MON_PID")]
        os.environ.update(AWS_ACCESS_KEY_ID=self.access_key, AWS_SECRET_ACCESS_KEY=self.secret_key, AWS_REGION="us-east-1", S3_ENDPOINT=self.endpoint)
        self.client = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", config=botocore.config.Config(s3={"addressing_style": "path"}))
        self.create(BUCKET)

    def stop(self):
        """Ends it; nothing happens when it has ended."""
        subprocess.run([self._script, "stop", self._folder], check=False, timeout=60)

    def create(self, bucket):
        """Makes a bucket that anybody may read and write, so that plain HTTP requests can stand for the bare cost of the server."""
        try:
            self.client.create_bucket(Bucket=bucket, ACL="public-read-write")
        except self.client.exceptions.BucketAlreadyOwnedByYou:
            pass

    def url(self, bucket=BUCKET, endpoint=None):
        """The store's URL for modelfs."""
        return f"s3://{bucket}?endpoint={endpoint or self.endpoint}&region=us-east-1"

    def upload(self, path, key, bucket=BUCKET):
        self.client.upload_file(path, bucket, key, ExtraArgs={"ACL": "public-read"}, Config=boto3.s3.transfer.TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=64 << 20))

    def has(self, key, bucket=BUCKET):
        return any(found["Key"] == key for found in self.client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", []))

    def object_url(self, key, bucket=BUCKET):
        """A plain URL of a public object."""
        return f"{self.endpoint}/{bucket}/{urllib.parse.quote(key)}"

    def fill(self, bucket, count, content, threads=4):
        """Puts `count` objects of the same content, model_000000.tar.gz and so on."""
        self.create(bucket)
        host = self.endpoint.removeprefix("http://")

        def put(first):
            connection = http.client.HTTPConnection(host, timeout=30)
            for number in range(first, count, threads):
                connection.request("PUT", f"/{bucket}/model_{number:06}.tar.gz", body=content, headers={"x-amz-acl": "public-read"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise Failed(f"PUT of object {number} into {bucket}: {answer.status}")
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            list(pool.map(put, range(threads)))

    def list_bare(self, bucket):
        """Seconds for all LIST pages of a bucket over one connection, their XML searched for the continuation only."""
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=60)
        start = time.perf_counter()
        token = None
        while True:
            query = f"/{bucket}?list-type=2&max-keys=1000" + (f"&continuation-token={urllib.parse.quote(token, safe='')}" if token else "")
            connection.request("GET", query)
            page = connection.getresponse().read()
            if b"<NextContinuationToken>" not in page:
                break
            token = page.split(b"<NextContinuationToken>", 1)[1].split(b"<", 1)[0].decode()
        seconds = time.perf_counter() - start
        connection.close()
        return seconds

    def round_trip(self, key, size, bucket=BUCKET, endpoint=None, times=15):
        """Median seconds of one ranged GET of `size` bytes over a connection that is open already."""
        connection = http.client.HTTPConnection((endpoint or self.endpoint).removeprefix("http://"), timeout=30)
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            connection.request("GET", f"/{bucket}/{key}", headers={"Range": f"bytes=0-{size - 1}"})
            connection.getresponse().read()
            taken.append(time.perf_counter() - start)
        connection.close()
        return sorted(taken)[len(taken) // 2]
