"""Which path asks what, in which dialect, however a client has spelled it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.model_routes import Ask, ModelRoute, find_route
from proxy.wire.headers import NO_FIELDS, Headers

PREFIXES = ("", "/v1", "/v1/v1", "/v1/v1/v1")


def find(path: str, method: str = "POST", query: str | None = None, *fields: tuple[bytes, bytes]) -> ModelRoute | None:
    return find_route(method, path, query, Headers(fields) if fields else NO_FIELDS)


def found(path: str, method: str = "POST", query: str | None = None, *fields: tuple[bytes, bytes]) -> ModelRoute:
    route = find(path, method, query, *fields)
    assert route is not None
    return route


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("path", "ask", "dialect", "name"),
    [
        ("/chat/completions", Ask.CHAT, "openai-chat", "/v1/chat/completions"),
        ("/responses", Ask.CHAT, "openai-responses", "/v1/responses"),
        ("/messages", Ask.CHAT, "anthropic", "/v1/messages"),
        ("/messages/count_tokens", Ask.COUNT, "anthropic", "/v1/messages/count_tokens"),
        ("/embeddings", Ask.EMBEDDINGS, "openai-chat", "/v1/embeddings"),
    ],
)
def test_vendors_paths_with_any_number_of_versions(prefix: str, path: str, ask: Ask, dialect: str, name: str) -> None:
    route = found(prefix + path)
    assert (route.ask, route.dialect, route.name, route.methods) == (ask, dialect, name, ("POST",))
    assert (route.model, route.stream, route.array) == (None, None, False)


@pytest.mark.parametrize("prefix", ["/api", "/api/v1", "/api/v1/v1"])
def test_behind_api_an_openrouter_client_is_asking(prefix: str) -> None:
    assert found(prefix + "/chat/completions").dialect == "openrouter"
    assert found(prefix + "/messages").dialect == "anthropic"
    assert found(prefix + "/responses").dialect == "openai-responses"
    assert found(prefix + "/embeddings").ask is Ask.EMBEDDINGS
    assert found(prefix + "/models", "GET").dialect == "openai-chat"


@pytest.mark.parametrize(
    ("path", "dialect", "methods"),
    [("/api/chat", "ui-message", ("POST",)), ("/api/stream", "event-source", ("GET",))],
)
def test_pages_ask_at_paths_of_their_own_and_always_get_a_stream(
    path: str, dialect: str, methods: tuple[str, ...]
) -> None:
    route = found(path)
    assert (route.ask, route.dialect, route.stream, route.methods) == (Ask.CHAT, dialect, True, methods)


def test_a_page_may_look_for_a_stream_to_resume() -> None:
    route = found("/api/chat/abc-1/stream", "GET")
    assert (route.ask, route.dialect, route.methods) == (Ask.RESUME, "ui-message", ("GET", "HEAD"))
    assert find("/api/chat//stream", "GET") is None
    assert find("/api/chat/a/b/stream", "GET") is None


VERSIONS = ("/v1beta", "/v1", "", "/v1/v1beta", "/v1beta1", "/v1alpha", "/api/v1beta", "/v1/v1")
VERTEX = "/projects/p-1/locations/europe-west4/publishers/google"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", ["", VERTEX])
@pytest.mark.parametrize(
    ("verb", "ask", "stream"),
    [
        ("generateContent", Ask.CHAT, False),
        ("streamGenerateContent", Ask.CHAT, True),
        ("countTokens", Ask.COUNT, None),
    ],
)
def test_gemini_s_paths_say_model_and_stream(version: str, place: str, verb: str, ask: Ask, stream: bool) -> None:
    route = found(f"{version}{place}/models/gemini-3-pro:{verb}", query="alt=sse")
    assert (route.ask, route.dialect, route.model, route.stream) == (ask, "gemini", "gemini-3-pro", stream)
    assert (route.array, route.methods) == (False, ("POST",))
    assert route.name == f"/v1beta/models/{{model}}:{verb}"


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("models/zai/glm-4.7", "zai/glm-4.7"),
        ("models/zai%2Fglm-4.7", "zai/glm-4.7"),
        ("models%2Fgemini-3-pro", "gemini-3-pro"),
        ("models/qwen3%3A8b", "qwen3:8b"),
        ("models/qwen3:8b", "qwen3:8b"),
        ("models/a%20b", "a b"),
        ("models/%E6%A8%A1%E5%9E%8B", "模型"),
        ("models/a%25b", "a%b"),
        ("models/a%0Ab", "a\nb"),
    ],
)
def test_a_model_s_name_may_be_encoded_and_hold_slashes_and_colons(written: str, model: str) -> None:
    assert found(f"/v1beta/{written}:generateContent").model == model
    assert found(f"/v1beta/{written}", "GET").model == model


@pytest.mark.parametrize(
    ("query", "array"),
    [
        (None, True),
        ("", True),
        ("alt=json", True),
        ("alt=sse", False),
        ("key=k&alt=sse", False),
        ("%61lt=sse", False),
        ("alt=sse&alt=json", True),
    ],
)
def test_a_stream_is_an_array_unless_events_are_asked_for(query: str | None, array: bool) -> None:
    assert found("/v1beta/models/m:streamGenerateContent", query=query).array is array
    assert found("/v1beta/models/m:generateContent", query=query).array is False


ANTHROPIC = (b"anthropic-version", b"2023-06-01")


@pytest.mark.parametrize(
    ("path", "query", "fields", "dialect"),
    [
        ("/v1/models", None, (), "openai-chat"),
        ("/models", None, (), "openai-chat"),
        ("/v1/models", "limit=1000", (), "openai-chat"),
        ("/v1/models", None, (ANTHROPIC,), "anthropic"),
        ("/v1/models", "key=k", (ANTHROPIC,), "anthropic"),
        ("/v1/models", None, ((b"X-Goog-Api-Key", b"k"),), "gemini"),
        ("/v1/models", None, ((b"x-goog-api-client", b"genai"),), "gemini"),
        ("/v1/models", "key=k", (), "gemini"),
        ("/v1beta/models", None, (), "gemini"),
        ("/v1beta1/models", None, (), "gemini"),
        ("/v1alpha/models", None, (), "gemini"),
        ("/v1beta/models", None, (ANTHROPIC,), "gemini"),
        ("/api/v1/models", None, (), "openai-chat"),
    ],
)
def test_who_asks_for_models_is_told_by_version_fields_and_key(
    path: str, query: str | None, fields: tuple[tuple[bytes, bytes], ...], dialect: str
) -> None:
    route = found(path, "GET", query, *fields)
    assert (route.ask, route.dialect, route.methods) == (Ask.MODELS, dialect, ("GET", "HEAD"))
    one = found(path + "/m", "GET", query, *fields)
    assert (one.ask, one.dialect, one.model, one.methods) == (Ask.MODEL, dialect, "m", ("GET", "HEAD"))


def test_a_list_is_not_posted_to_and_says_so() -> None:
    assert found("/v1/models", "POST").methods == ("GET", "HEAD")


def test_a_websocket_is_wanted_where_responses_are_read_with_an_upgrade() -> None:
    upgrade = (b"Upgrade", b"websocket")
    assert found("/v1/responses", "GET", None, upgrade).ask is Ask.UPGRADE
    assert found("/responses", "GET", None, upgrade).dialect == "openai-responses"
    assert found("/v1/responses", "GET").methods == ("POST",)
    assert found("/v1/responses", "POST", None, upgrade).ask is Ask.CHAT


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/v1",
        "/v1/",
        "/v1/completions",
        "/v1/chat/completions/",
        "/v1/chat/completionsx",
        "/v2/chat/completions",
        "/v1beta/messages",
        "/v1betamodels/m:generateContent",
        "/v1beta/models/m:embedContent",
        "/v1beta/models/:generateContent",
        "/v1beta/models/m",
        "/v1beta/projects/p/models/m:generateContent",
        "/v1/publishers/anthropic/models/m:generateContent",
        "/api/tags",
        "/API/CHAT",
        "/V1/messages",
        "/v1//messages",
    ],
)
def test_what_is_none_of_these(path: str) -> None:
    assert find(path) is None


@given(st.text(), st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]), st.none() | st.text())
def test_no_path_raises(path: str, method: str, query: str | None) -> None:
    for tried in (path, "/" + path, "/v1/" + path, "/v1beta/models/" + path, "/models/" + path + ":countTokens"):
        find(tried, method, query)
