"""The sections of a reasoning item, which are one text in the hub, joined by blank lines.

OpenAI streams a summary, other servers (DeepSeek, OpenRouter, gpt-oss) the raw thoughts, some of them both: what comes
first is taken, so that nothing is said twice.
"""

from proxy.dialects.openai_responses.blocks import Growing
from proxy.dialects.openai_responses.chunks import Chunk
from proxy.dialects.parts import Json


def find_section(chunk: Chunk, name: str) -> tuple[str, int]:
    """Which event a thought comes with, and which part of the item it is in."""
    return name, chunk.summary_index if "summary" in name else chunk.content_index


def join_section(block: Growing, name: str, chunk: Chunk) -> str:
    """The text that a delta adds to the block."""
    section = find_section(chunk, name)
    before, text = block.section, chunk.delta
    if not text or (before is not None and before[0] != name):
        return ""
    block.section = section
    return text if before is None or before == section else f"\n\n{text}"


def read_thoughts(item: dict[str, Json], block: Growing) -> str:
    """All thoughts of an item, from where its deltas came."""
    names = ["summary", "content"]
    if block.section is not None:
        names = ["summary"] if "summary" in block.section[0] else ["content"]
    for name in names:
        parts = item.get(name)
        found = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        texts = [text for text in found if isinstance(text, str)]
        if any(texts):
            return "\n\n".join(texts)
    return ""
