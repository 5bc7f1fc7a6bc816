"""Sections of reasoning."""

from proxy.dialects.parts import Json, Signature, Thinking
from tests.helpers.responses_stream import CREATED, added, completed, done, parts


class TestThoughts:
    @staticmethod
    def thought(text: str, part: int, kind: str = "summary") -> dict[str, Json]:
        place = "summary_index" if kind == "summary" else "content_index"
        name = "response.reasoning_summary_text.delta" if kind == "summary" else "response.reasoning_text.delta"
        return {"type": name, "output_index": 0, place: part, "delta": text}

    def test_sections_are_joined_by_a_blank_line(self) -> None:
        summary = [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]
        item = {"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": "gAAA"}
        found = parts(CREATED, self.thought("One", 0), self.thought(".", 0), self.thought("Tw", 1),
                      self.thought("o.", 1), done(0, **item), completed())  # fmt: skip
        signature = Signature("r", '{"id":"rs_1","encrypted_content":"gAAA"}')
        assert found == [Thinking("One.\n\nTwo.", signature)]
        assert parts(CREATED, done(0, **item), completed()) == found

    def test_what_is_said_in_both_ways_is_said_once(self) -> None:
        item: dict[str, Json] = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Sum"}],
                                 "content": [{"type": "reasoning_text", "text": "Raw"}]}  # fmt: skip
        found = parts(CREATED, self.thought("Raw", 0, "text"), self.thought("Sum", 0), done(0, **item), completed())
        assert found == [Thinking("Raw")]

    def test_a_signature_alone_is_a_block_and_nothing_is_none(self) -> None:
        item: dict[str, Json] = {"id": "rs_1", "type": "reasoning", "summary": []}
        assert parts(CREATED, added(0, **item), done(0, **item), completed()) == []
        found = parts(CREATED, done(0, **item, encrypted_content="gAAA"), completed())
        assert found == [Thinking("", Signature("r", '{"id":"rs_1","encrypted_content":"gAAA"}'))]
