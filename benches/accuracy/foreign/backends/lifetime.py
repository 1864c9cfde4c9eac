"""What the Python backends share: connect, say `ready`, and end when stdin closes."""

import asyncio
import sys
from contextlib import asynccontextmanager

import nats


@asynccontextmanager
async def connected():
    """A connection to the URL of the command line."""
    connection = await nats.connect(sys.argv[1], allow_reconnect=False)
    try:
        yield connection
    finally:
        await connection.close()


async def serve_until_stdin_closes():
    """Say that requests may come, and return when whoever started this program is gone."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
