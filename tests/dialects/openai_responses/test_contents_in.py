"""Contents of input messages and outputs of tools: media of every kind."""

from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Media,
    Part,
    Text,
    ToolResult,
)
from tests.helpers.responses import parse_items

PNG = "iVBORw0KGgo="


CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a":1}'}


RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "2"}


def heard(*content: Json) -> tuple[Part, ...]:
    return parse_items({"role": "user", "content": list(content)})[0].parts


class TestMedia:
    def test_images(self) -> None:
        image: dict[str, Json] = {"type": "input_image", "detail": "high"}
        assert heard({**image, "image_url": f"data:image/png;base64,{PNG}"}) == (
            Image(Media("image/png", PNG), "high"),
        )
        assert heard({**image, "image_url": "https://x/y"}) == (Image(Media("", url="https://x/y"), "high"),)
        assert heard({**image, "file_id": "f1"}) == (Image(Media("", file_id="f1"), "high"),)

    def test_files(self) -> None:
        file: dict[str, Json] = {"type": "input_file", "filename": "a.PDF"}
        pdf = Media("application/pdf", "JVBERi0=")
        assert heard({**file, "file_data": "data:application/pdf;base64,JVBERi0="}) == (File(pdf, "a.PDF"),)
        assert heard({**file, "file_data": "JVBERi0"}) == (File(pdf, "a.PDF"),)
        assert heard({"type": "input_file", "file_data": "JVBERi0="}) == (File(pdf),)
        assert heard({"type": "input_file", "file_url": "https://x/y"}) == (File(Media("", url="https://x/y")),)
        assert heard({**file, "file_id": "f1"}) == (File(Media("application/pdf", file_id="f1"), "a.PDF"),)

    def test_audio(self) -> None:
        audio = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
        assert heard(audio) == (Audio("wav", "UklG"),)

    def test_results_may_hold_images(self) -> None:
        output = [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "https://x/y"}]
        _, results = parse_items(CALL, {**RESULT, "output": output})
        result = results.parts[0]
        assert isinstance(result, ToolResult)
        assert result.content == (Text("x"), Image(Media("", url="https://x/y")))

    def test_an_image_that_was_drawn_is_one(self) -> None:
        drawn = {"type": "image_generation_call", "id": "ig_1", "result": PNG, "output_format": "png"}
        assert parse_items(drawn)[0].parts == (Image(Media("image/png", PNG)),)
