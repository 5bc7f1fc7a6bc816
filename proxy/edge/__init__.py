"""The aiohttp server: requests in, streams out."""
