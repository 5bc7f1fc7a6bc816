"""The sizes that bound what the wire layer keeps in memory, each with its reason.

Numbers that an operator may want to change live in the configuration; these guard parsers against
input that no honest peer sends.
"""

from typing import Final

MAX_EVENT: Final = 32 * 1024 * 1024
"""Bytes of one event. Image deltas reach a few MiB; a larger block is passed on unparsed and counted."""

MAX_CHUNK_LINE: Final = 4096
"""Bytes of a chunk-size line with its extensions. Real ones have under 20; llhttp and nginx stop near here."""

MAX_TRAILERS: Final = 64 * 1024
"""Bytes of a trailer section. It is dropped (RFC 9110 6.5.1), so this only bounds the reading of it."""

MAX_CHUNK_DIGITS: Final = 15
"""Hexadecimal digits of a chunk size: 2**60 bytes, far above any chunk and below every integer limit."""
