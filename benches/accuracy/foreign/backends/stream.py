"""A stream of nats-server itself, kept in files: `stream.py URL`. Publications go to `foreign.stream`."""

import asyncio

from lifetime import connected, serve_until_stdin_closes
from nats.js.api import DiscardPolicy, StreamConfig

# The oldest messages go when the stream is full, so that its size does not depend on how long the load lasts.
STREAM = StreamConfig(
    name="foreign",
    subjects=["foreign.stream"],
    discard=DiscardPolicy.OLD,
    max_msgs=20_000,
    duplicate_window=0.1,
)
FILL = 20_000


async def main():
    """Make the stream, fill it, and keep it until stdin closes."""
    async with connected() as connection:
        stream = connection.jetstream()
        await stream.add_stream(STREAM)
        for first in range(0, FILL, 200):
            await asyncio.gather(
                *(stream.publish("foreign.stream", bytes(256)) for _ in range(first, first + 200))
            )
        await serve_until_stdin_closes()


asyncio.run(main())
