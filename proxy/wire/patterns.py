"""Patterns over names: `*` stands for any text, and nothing else in one has a meaning."""

import re


def compile_pattern(text: str) -> re.Pattern[str]:
    """To be asked with `fullmatch`. The first place where a part fits is as good as any: atomic groups look for no
    other, so no pattern takes long."""
    first, *rest = map(re.escape, text.split("*"))
    if not rest:
        return re.compile(first)
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)
