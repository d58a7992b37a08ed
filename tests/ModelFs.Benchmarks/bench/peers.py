"""How others get a model from a bucket into a folder, each read once afterwards."""
import contextlib
import os
import shutil
import subprocess

from .machine import Cost, run
from .server import BUCKET

HERE = os.path.dirname(os.path.abspath(__file__))
RASA, PIPE, GZIP_PIPE, S3FS, RCLONE, ARCHIVEMOUNT = "Rasa", "curl | igzip | tar", "curl | tar xz", "s3fs + tar", "rclone + tar", "archivemount"


@contextlib.contextmanager
def scratch(machine, keep=False):
    """A folder for one run. With `keep` it stays until the bench program ends: an ext4 without a journal looks long for a free inode while many were
    freed a moment ago, and whoever makes small files next would be measured with that."""
    folder = machine.folder("peer")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def mounted(start, folder):
    """Runs a command that mounts at `folder` and returns; unmounts at the end."""
    os.makedirs(folder, exist_ok=True)
    run(start, timeout=60)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=False) if os.path.ismount(folder) else None
        if os.path.ismount(folder):
            subprocess.run(["umount", "-l", folder], check=False)


def rasa(machine, server, key, bucket=BUCKET, keep=False):
    with scratch(machine, keep) as folder:
        cost = run(["/usr/bin/python3", os.path.join(HERE, "rasa.py"), "fetch", server.endpoint, bucket, key, folder])
        return Cost(float(cost.output), cost.cpu, cost.peak_mb)


def pipe(machine, server, key, bucket=BUCKET, read=True, keep=False):
    with scratch(machine, keep) as folder:
        return run(f"curl -sf '{server.object_url(key, bucket)}' | igzip -dc | tar -xC '{folder}'" + (f" && '{machine.probe}' read '{folder}'" if read else ""))


def gzip_pipe(machine, server, key, bucket=BUCKET, read=True, keep=False):
    with scratch(machine, keep) as folder:
        return run(f"curl -sf '{server.object_url(key, bucket)}' | tar -xzC '{folder}'" + (f" && '{machine.probe}' read '{folder}'" if read else ""))


def s3fs(machine, server, key, bucket=BUCKET):
    with scratch(machine) as folder:
        mount = os.path.join(folder, "mnt")
        target = os.path.join(folder, "out")
        os.mkdir(target)
        secret = os.path.join(folder, "secret")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as stream:
            stream.write(f"{server.access_key}:{server.secret_key}")
        with mounted(["s3fs", bucket, mount, "-o", f"url={server.endpoint},use_path_request_style,passwd_file={secret}"], mount):
            return run(f"tar -xzC '{target}' -f '{mount}/{key}' && '{machine.probe}' read '{target}'")


def rclone(machine, server, key, bucket=BUCKET):
    with scratch(machine) as folder:
        mount = os.path.join(folder, "mnt")
        target = os.path.join(folder, "out")
        os.mkdir(target)
        remote = f":s3,provider=Ceph,env_auth=true,endpoint='{server.endpoint}':{bucket}"
        with mounted(["rclone", "mount", remote, mount, "--daemon", "--read-only", "--config", os.path.join(folder, "none"), "--cache-dir", os.path.join(folder, "cache")], mount):
            return run(f"tar -xzC '{target}' -f '{mount}/{key}' && '{machine.probe}' read '{target}'")


def archivemount(machine, server, key, bucket=BUCKET, timeout=20):
    """Downloads the archive and mounts it; its files are inflated while they are read, and inflated anew from the start wherever a reader
    goes back, so a large one does not end in reasonable time."""
    with scratch(machine) as folder:
        mount = os.path.join(folder, "mnt")
        os.mkdir(mount)
        archive = os.path.join(folder, key)
        try:
            return run(f"curl -sfo '{archive}' '{server.object_url(key, bucket)}' && archivemount -o readonly '{archive}' '{mount}' && '{machine.probe}' read '{mount}'", timeout=timeout)
        finally:
            if os.path.ismount(mount):
                subprocess.run(["umount", "-l", mount], check=False)


def limits(machine, server, key, archive, record_figure, bucket=BUCKET):
    """What each stage takes by itself: the network, inflating, writing the tree."""
    with scratch(machine) as folder:
        plain = os.path.join(folder, "plain.tar")
        url = server.object_url(key, bucket)
        target = os.path.join(folder, "out")
        run(f"cat '{archive}' >/dev/null")
        for _ in range(3):
            record_figure.add("network only", run(f"curl -sf '{url}' -o /dev/null").seconds)
            record_figure.add("inflate only", run(f"igzip -dc '{archive}' >/dev/null").seconds)
        run(f"igzip -dc '{archive}' >'{plain}'")
        for _ in range(3):
            os.mkdir(target)
            record_figure.add("disk only", run(f"tar -xC '{target}' -f '{plain}'").seconds)
            shutil.rmtree(target)


