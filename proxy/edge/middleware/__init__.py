"""One concern per middleware; the order stands in edge/middleware/chain.py."""
