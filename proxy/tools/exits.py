"""The exit codes of `penstock`; those of a configuration and a listener as in sysexits.h."""

from typing import Final

OK: Final = 0
FAILED: Final = 1
"""A fault at run time. Wrong usage is argparse's 2."""

UNAVAILABLE: Final = 69
"""EX_UNAVAILABLE: a listener could not be opened."""

BAD_CONFIG: Final = 78
"""EX_CONFIG: the configuration is unusable."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as a shell reports it: interrupted twice."""
