"""The pictures in docs/images, taken of real pages in a real browser."""
