"""The page on the admin listener that shows every stream, and what feeds it."""
