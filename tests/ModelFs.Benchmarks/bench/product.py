"""ModelFs as users start it: the built program, a mount, its daemon's costs."""
import contextlib
import json
import os
import signal
import subprocess
import time

from .machine import Cost, Failed, cpu_of, memory_of, run


class Mount(contextlib.AbstractContextManager):
    """A mount with a cache of its own, gone with its context. `cache` reuses a cache that an earlier mount filled."""

    def __init__(self, machine, store, *options, cache=None):
        self._program = program(machine)
        self.cache = cache or machine.folder("cache")
        self.path = machine.folder("mnt")
        self._log = self.path + ".log"
        start = time.perf_counter()
        run([self._program, "mount", store, self.path, "--cache-dir", self.cache, "--log-file", self._log, *options], timeout=60)
        self.ready_seconds = time.perf_counter() - start
        status = self.status()
        self.daemon, self.keeper = status["daemonPid"], status["keeperPid"]
        self._cpu = self._cpu_now()

    def status(self):
        with open(os.path.join(self.path, ".modelfs/status.json"), encoding="utf-8") as stream:
            return json.load(stream)

    def cpu(self):
        """CPU seconds of daemon and keeper since the mount was ready."""
        return self._cpu_now() - self._cpu

    def peak_mb(self):
        return memory_of(self.daemon, "VmHWM")

    def idle_mb(self):
        return memory_of(self.daemon, "VmRSS")

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as stream:
            return stream.read()

    def cached(self, model):
        """The folder in the cache that holds the model's files now."""
        found = []
        for folder, folders, files in os.walk(self.cache):
            if os.path.basename(folder) == "content" and "metadata.json" in files:
                manifest = os.path.join(os.path.dirname(folder), "manifest.json")
                if os.path.exists(manifest) and f"{model}.tar" in open(manifest, encoding="utf-8").read():
                    found.append(folder)
                folders[:] = []
        if len(found) != 1:
            raise Failed(f"{model} is {len(found)} times in {self.cache}")
        return found[0]

    def sync(self, *models, timeout=300):
        return run([self._program, "sync", self.path, *models], timeout=timeout)

    def __exit__(self, *error):
        # A plain umount, which drains as well, because `modelfs unmount` first looks through all processes of a busy machine.
        is_unmounted = subprocess.run(["umount", self.path], check=False).returncode == 0
        if is_unmounted and self._has_ended(30):
            return
        subprocess.run(["umount", "-l", self.path], check=False)
        for pid in (self.keeper, self.daemon):
            _kill(pid, self.path)
        if error[0] is None:
            raise Failed(f"{self.path} {'did not end' if is_unmounted else 'could not be unmounted'}\n{self.log()[-2000:]}")

    def _has_ended(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _is_running(self.keeper):
                return True
            time.sleep(0.01)
        return False

    def _cpu_now(self):
        return cpu_of(self.daemon) + cpu_of(self.keeper)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _kill(pid, mount):
    """Ends a process that this mount started and that should have ended by itself."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
            if mount in stream.read():
                os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def program(machine):
    return os.path.join(machine.repository, "artifacts/modelfs/modelfs")


def cold_read(machine, store, *models, options=()):
    """Mounts with an empty cache and reads the models whole; the mounting itself is not counted, everything after it is."""
    with Mount(machine, store, *options) as mount:
        paths = [os.path.join(mount.path, model) for model in models]
        cost = run([machine.probe, "read", *paths])
        return Cost(cost.seconds, cost.cpu + mount.cpu(), mount.peak_mb())
