"""What a bench gets to work with."""
from dataclasses import dataclass, field

from . import models
from .figures import Record
from .machine import Machine
from .models import Models
from .server import BUCKET, Server


@dataclass
class Context:
    """One run of the bench program. The server starts when the first bench asks for it."""

    machine: Machine
    models: Models
    record: Record
    quick: bool
    _server: Server = field(default=None, repr=False)

    @property
    def rounds(self):
        return 3 if self.quick else 5

    @property
    def server(self):
        if self._server is None:
            self._server = Server(self.machine)
        return self._server

    def end_server(self):
        """Has the next bench start a new one: a server frees replaced objects late, and stops answering when its 8 GiB of memory are full of them."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def big_mib(self):
        """Of the weights in 'big'; a quick run takes a quarter."""
        return 128 if self.quick else 512

    def big(self):
        """(name, archive as the Rasa persistors make it) of the 'big' model."""
        name = f"big_{self.big_mib}"
        return name, self.models.archive(name, lambda folder: models.big(folder, self.big_mib), as_python=True)

    def mixed(self):
        """(name, archive) of the 'mixed' model."""
        mib = 64 if self.quick else 200
        name = f"mixed_{mib}"
        return name, self.models.archive(name, lambda folder: models.mixed(folder, mib), as_python=True)

    def stored(self, name, archive, bucket=BUCKET):
        """Puts the archive into the bucket unless it is there; the key."""
        key = name + ".tar.gz"
        if not self.server.has(key, bucket):
            self.server.upload(archive, key, bucket)
        return key
