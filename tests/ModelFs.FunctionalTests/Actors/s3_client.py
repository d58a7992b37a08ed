"""What a foreign S3 client does and sees, by boto3; endpoint and keys come from the environment.

    s3_client.py put BUCKET FOLDER [PREFIX]    uploads the folder's files as Rasa's persistor does; makes the bucket
    s3_client.py fill BUCKET FILE COUNT        COUNT objects model_00000.tar.gz … of the same content
    s3_client.py put-as BUCKET FILE KEY…       uploads the file under each key; makes the bucket
    s3_client.py delete BUCKET KEY
    s3_client.py list BUCKET                   keys
    s3_client.py etag BUCKET KEY
    s3_client.py get BUCKET KEY FILE
    s3_client.py get-all BUCKET FOLDER         every object; keys without a slash
    s3_client.py buckets
    s3_client.py versioning BUCKET STATUS      Enabled or Suspended; makes the bucket
    s3_client.py let BUCKET ACTION…            allows everybody these actions, such as s3:GetObject
"""
import concurrent.futures
import json
import os
import sys

import boto3
import botocore.config

CLIENT = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name="us-east-1", aws_access_key_id=os.environ["S3_ACCESS_KEY"],
                      aws_secret_access_key=os.environ["S3_SECRET_KEY"], config=botocore.config.Config(max_pool_connections=16))


def put(bucket, folder, prefix=""):
    CLIENT.create_bucket(Bucket=bucket)
    for name in sorted(os.listdir(folder)):
        CLIENT.upload_file(os.path.join(folder, name), bucket, prefix + name)


def fill(bucket, path, count):
    CLIENT.create_bucket(Bucket=bucket)
    with open(path, "rb") as stream:
        content = stream.read()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: CLIENT.put_object(Bucket=bucket, Key=f"model_{n:05}.tar.gz", Body=content), range(int(count))))


def put_as(bucket, path, *names):
    CLIENT.create_bucket(Bucket=bucket)
    for name in names:
        CLIENT.upload_file(path, bucket, name)


def delete(bucket, key):
    CLIENT.delete_object(Bucket=bucket, Key=key)


def keys(bucket):
    for page in CLIENT.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            print(item["Key"])


def etag(bucket, key):
    print(CLIENT.head_object(Bucket=bucket, Key=key)["ETag"])


def get(bucket, key, path):
    CLIENT.download_file(bucket, key, path)


def get_all(bucket, folder):
    for page in CLIENT.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            CLIENT.download_file(bucket, item["Key"], os.path.join(folder, item["Key"]))


def buckets():
    print("\n".join(bucket["Name"] for bucket in CLIENT.list_buckets()["Buckets"]))


def versioning(bucket, status):
    CLIENT.create_bucket(Bucket=bucket)
    CLIENT.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def let(bucket, *actions):
    statement = {"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    CLIENT.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


{"put": put, "put-as": put_as, "fill": fill, "delete": delete, "list": keys, "etag": etag, "get": get, "get-all": get_all, "buckets": buckets, "versioning": versioning, "let": let}[sys.argv[1]](*sys.argv[2:])
