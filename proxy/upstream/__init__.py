"""The aiohttp client: one session per provider, and the hand-over of its bytes."""
