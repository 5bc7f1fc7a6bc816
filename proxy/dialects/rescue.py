"""What rescuing an answer needs beside the stages: whom it can be done for, and what is asked of whoever goes on."""

from dataclasses import replace

from proxy.dialects.parts import Message, Request, Text


def can_rescue(request: Request) -> bool:
    """Half a structured answer is no text that somebody can go on with, and of several choices only one is followed."""
    return request.output is None and request.n == 1


def build_continuation(request: Request, text: str) -> Request:
    """`request`, for a model that goes on with the assistant's turn after `text`.

    Without white space at its end, and without asking for thoughts: Anthropic refuses both in a turn that has begun
    (docs.claude.com, "Prefill Claude's response" and "Extended thinking"). Where it was all white space nothing is left
    to go on with.
    """
    begun = text.rstrip()
    messages = [*request.messages, Message("assistant", (Text(begun),))] if begun else list(request.messages)
    return replace(request, messages=messages, reasoning=None)
