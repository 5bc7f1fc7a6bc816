"""The schemas of tools and of JSON output, from each dialect's form into each other's.

    to_plain        Gemini's Schema to JSON Schema
    to_openapi      JSON Schema to the strict subset of Gemini's Schema (`parameters`, `responseSchema`, Code Assist)
    to_root_object  JSON Schema whose root every provider takes for a tool's arguments
    to_closed       JSON Schema that Anthropic compiles (strict tools, `output_config.format`)
    inline_refs     JSON Schema without references, for who cannot follow them

Any JSON is taken; nothing is changed in place, nothing raises, and what comes out is bounded (see `schema_walk`).
"""

from proxy.dialects.schema_closed import to_closed
from proxy.dialects.schema_openapi import to_openapi
from proxy.dialects.schema_plain import to_plain
from proxy.dialects.schema_root import to_root_object
from proxy.dialects.schema_walk import inline_refs

__all__ = ["inline_refs", "to_closed", "to_openapi", "to_plain", "to_root_object"]
