"""A server that is farther away: passes TCP on and keeps every byte back for half of the added round trip, in each direction."""
import asyncio
import contextlib
import threading


class DelayedServer(contextlib.AbstractContextManager):
    """Listens on a port of its own while its context is entered."""

    def __init__(self, endpoint, added_seconds):
        host, port = endpoint.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._half = added_seconds / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result(10)
        self.endpoint = "http://127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *error):
        async def stop():
            self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0)
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader, writer):
        queue = asyncio.Queue(maxsize=256)

        async def deliver():
            while (item := await queue.get()) is not None:
                due, data = item
                await asyncio.sleep(max(0, due - self._loop.time()))
                writer.write(data)
                await writer.drain()
        task = asyncio.ensure_future(deliver())
        try:
            while data := await reader.read(1 << 18):
                await queue.put((self._loop.time() + self._half, data))
            await queue.put(None)
            await task
        except (ConnectionError, OSError):
            task.cancel()
        finally:
            with contextlib.suppress(Exception):
                writer.close()
