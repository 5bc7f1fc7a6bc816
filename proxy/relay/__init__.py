"""The way of a stream between an upstream and a client. Async, and free of aiohttp."""
