"""A key-value bucket of nats-server itself, kept in files: `bucket.py URL`. It has the keys `cart.1` to `cart.500`."""

import asyncio

from lifetime import connected, serve_until_stdin_closes

KEYS = 500


async def main():
    """Make the bucket, write every key, and keep it until stdin closes."""
    async with connected() as connection:
        bucket = await connection.jetstream().create_key_value(bucket="foreign", history=1, direct=True)
        for key in range(1, KEYS + 1):
            await bucket.put(f"cart.{key}", bytes(256))
        await serve_until_stdin_closes()


asyncio.run(main())
