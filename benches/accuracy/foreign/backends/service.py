"""A NATS service in one Python process: `service.py URL [--no-wait]`.

Each request takes some work of the processor and then waits 4 ms as for a database, during which others are worked
on. With `--no-wait` there is the work alone, and requests are served one after another.
"""

import asyncio
import hashlib
import sys

from lifetime import connected, serve_until_stdin_closes
from nats.micro import add_service

WORK_BYTES = bytes(100_000)
WAIT_S = 0.004


def work(payload):
    """About a quarter of a millisecond of the processor."""
    return hashlib.sha256(payload + WORK_BYTES).hexdigest().encode()


async def answer(request):
    """Work, and reply at once."""
    await request.respond(work(request.data))


async def answer_later(request):
    """Work, wait, reply."""
    reply = work(request.data)
    await asyncio.sleep(WAIT_S)
    await request.respond(reply)


async def main():
    """Serve `foreign.service` until stdin closes."""
    running = set()

    async def start(request):
        task = asyncio.create_task(answer_later(request))
        running.add(task)
        task.add_done_callback(running.discard)

    async with connected() as connection:
        service = await add_service(connection, name="foreign", version="1.0.0")
        handler = answer if "--no-wait" in sys.argv[2:] else start
        await service.add_endpoint(name="ask", subject="foreign.service", handler=handler)
        await connection.flush()
        await serve_until_stdin_closes()


asyncio.run(main())
