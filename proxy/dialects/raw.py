"""The form of our refusals where no dialect is known."""

from proxy.errors import Code


def build_error(code: Code, request_id: str) -> dict[str, object]:
    """`{"error": {"code", "message"}, "request_id"}`."""
    return {"error": {"code": code.slug, "message": code.message}, "request_id": request_id}
