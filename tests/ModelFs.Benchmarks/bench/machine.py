"""The machine that is measured on: a work folder, page caches, processes with what they cost, and the clean-up of all of it."""
import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A process that should have succeeded did not, or took too long."""


@dataclass(frozen=True)
class Cost:
    """What one run took: wall-clock seconds, CPU seconds of all its processes, and the most memory that one of them held, in MB."""

    seconds: float
    cpu: float
    peak_mb: float
    output: str = ""


class Machine(contextlib.ExitStack):
    """Owns the work folder and everything that was started; leaving it ends and removes all of it, also after a failure."""

    launcher = None

    def __init__(self, repository):
        super().__init__()
        self.repository = repository
        self.work = tempfile.mkdtemp(prefix="modelfs-bench.")
        self.callback(self._remove_work)
        self.probe = os.path.join(self.work, "probe")
        source = os.path.join(repository, "tests/ModelFs.Benchmarks/probe/probe.c")
        subprocess.run(["gcc", "-O2", "-o", self.probe, source], check=True)
        Machine.launcher = self.probe
        self._numbers = iter(range(1 << 30))

    def folder(self, kind):
        """A new empty folder."""
        path = os.path.join(self.work, f"{kind}-{next(self._numbers)}")
        os.mkdir(path)
        return path

    def probe_run(self, *words, timeout=300):
        """Runs a timed loop of probe.c: (seconds, operations, bytes)."""
        seconds, operations, size = run([self.probe, *map(str, words)], timeout=timeout).output.split()
        return float(seconds), int(operations), int(size)

    def _remove_work(self):
        for line in open("/proc/self/mounts", encoding="utf-8", errors="replace").read().splitlines():
            place = line.split(" ")[1]
            if place.startswith(self.work + "/"):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.work, ignore_errors=True)


def drop_caches():
    """Empties the page cache and the caches of names and inodes."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as control:
        control.write("3")


def run(command, timeout=300, env=None, cwd=None):
    """Runs a command to its end. Raises Failed when it fails, or takes longer than `timeout` seconds; then its process group is killed."""
    shown = command if isinstance(command, str) else " ".join(command)
    if isinstance(command, str):
        command = ["bash", "-o", "pipefail", "-c", command]
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile() as cost:
        process = subprocess.Popen([Machine.launcher, "cost", cost.name, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=cwd, start_new_session=True)
        try:
            waiter = os.pidfd_open(process.pid)
            try:
                ended = select.select([waiter], [], [], timeout)[0]
            finally:
                os.close(waiter)
            if not ended:
                raise Failed(f"no end after {timeout} s: {shown[:200]}")
            process.wait()
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        if process.returncode != 0:
            raise Failed(f"exit code {process.returncode}: {shown[:200]}\n{text[-2000:]}")
        with open(cost.name, encoding="ascii") as stream:
            seconds, cpu, peak_kib = map(float, stream.read().split())
    return Cost(seconds, cpu, peak_kib / 1024, text)


def cpu_of(pid):
    """CPU seconds that a process has used so far, 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid, key):
    """A line of /proc/PID/status in MB: VmRSS (now) or VmHWM (the most so far)."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
    raise Failed(f"/proc/{pid}/status has no {key}")


def description():
    """What a reader of the figures must know about the machine."""
    with open("/proc/loadavg", encoding="ascii") as stream:
        load = stream.read().split()[0]
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cores": os.cpu_count(), "cpu": model, "kernel": os.uname().release, "load": float(load),
            "file system": run(["stat", "-f", "-c", "%T", tempfile.gettempdir()]).output.strip()}
