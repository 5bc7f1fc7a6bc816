"""Doors, and what the gate makes of a head."""

from types import SimpleNamespace
from typing import Any

import pytest

from proxy.edge.gate import Doors, admit, is_for_us_alone
from proxy.errors import Code, Refused
from tests.helpers.edge import build_house, build_model_house, build_scope

HERE = ("127.0.0.1", 8088)
HOUSE = build_house("/up", "/up/chat")


def at(sockname: Any) -> Any:
    return SimpleNamespace(get_extra_info=lambda name: sockname if name == "sockname" else None)


@pytest.mark.parametrize(
    ("admin", "sockname", "is_admin"),
    [
        ([], HERE, False),
        ([HERE], HERE, True),
        ([HERE], ("127.0.0.1", 8089), False),
        ([("::1", 80, 0, 0)], ("::1", 80, 7, 1), True),
        (["/run/admin"], "/run/admin", True),
        (["/run/admin"], "/run/public", False),
        ([HERE], None, False),
        ([("0.0.0.0", 8788)], ("10.0.0.5", 8788), True),
        ([("0.0.0.0", 8788)], ("10.0.0.5", 8088), False),
        ([("::", 8788, 0, 0)], ("2001:db8::1", 8788, 0, 0), True),
        ([HERE], ("10.0.0.5", 8088), False),
        (["/run/admin"], ("0.0.0.0", 0), False),
    ],
)
def test_a_door_is_known_by_its_address(admin: list[Any], sockname: Any, is_admin: bool) -> None:
    doors = Doors()
    doors.open_admin(admin)
    assert doors.is_admin(at(sockname)) is is_admin


@pytest.mark.parametrize(
    ("target", "prefix", "rest", "query"),
    [
        ("/up", "/up", "", None),
        ("/up/a%2f?", "/up", "/a%2f", ""),
        ("/up/chat/x?a=b?c", "/up/chat", "/x", "a=b?c"),
        ("/up//x", "/up", "//x", None),
        ("http://127.0.0.1:8088/up/a?b", "/up", "/a", "b"),
        ("http://LOCALHOST:8088/up", "/up", "", None),
    ],
)
def test_a_target_finds_its_mount(target: str, prefix: str, rest: str, query: str | None) -> None:
    scope = build_scope(HOUSE, "GET", target)
    admit(scope, HERE)
    assert scope.mount is not None
    assert (scope.mount.prefix, scope.rest, scope.query) == (prefix, rest, query)


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("GET", "/", Code.NOT_FOUND),
        ("GET", "/upper", Code.NOT_FOUND),
        ("GET", "/up/../x", Code.TARGET),
        ("GET", "/up/%2e%2e", Code.TARGET),
        ("GET", "http://elsewhere/up", Code.TARGET),
        ("GET", "http://127.0.0.1/up", Code.TARGET),
        ("GET", "*", Code.TARGET),
        ("TRACE", "/up", Code.METHOD),
    ],
)
def test_what_is_refused(method: str, target: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        admit(build_scope(HOUSE, method, target), HERE)
    assert caught.value.code is code
    if code is Code.METHOD:
        assert "GET" in caught.value.headers["Allow"]


@pytest.mark.parametrize(
    ("sockname", "target", "is_ours"),
    [
        (("::1", 80, 0, 0), "http://[::1]:80/up", True),
        (("::1", 80, 0, 0), "http://localhost:80/up", True),
        (("10.0.0.1", 80), "http://10.0.0.1:80/up", True),
        (("10.0.0.1", 80), "http://localhost:80/up", False),
        ("/run/x", "http://localhost:80/up", False),
    ],
)
def test_an_absolute_form_is_ours_by_the_address_it_came_to(sockname: Any, target: str, is_ours: bool) -> None:
    scope = build_scope(HOUSE, "GET", target)
    if is_ours:
        admit(scope, sockname)
        assert scope.head.target == "/up"
    else:
        with pytest.raises(Refused):
            admit(scope, sockname)


def test_a_pseudonym_finds_a_loop() -> None:
    scope = build_scope(build_house("/up", via="gate"), "GET", "/up", (b"Via", b"1.1 gate"))
    with pytest.raises(Refused) as caught:
        admit(scope, HERE)
    assert caught.value.code is Code.LOOP


@pytest.mark.parametrize(
    ("method", "value", "ours"),
    [("OPTIONS", b"0", True), ("OPTIONS", b"1", False), ("GET", b"0", False), ("OPTIONS", b"", False)],
)
def test_an_options_without_a_hop_left_is_ours(method: str, value: bytes, ours: bool) -> None:
    assert is_for_us_alone(build_scope(HOUSE, method, "/up", (b"Max-Forwards", value)).head) is ours


MODELS = build_model_house({"ant": "anthropic"}, {}, cors=("https://a.example",))


def test_what_is_no_mount_may_be_a_route_where_models_can_be_asked() -> None:
    scope = build_scope(MODELS, "POST", "/v1/messages?beta=true", (b"Origin", b"https://a.example"))
    admit(scope, HERE)
    assert scope.route is not None
    assert (scope.route.dialect, scope.query, scope.dialect.name) == ("anthropic", "beta=true", "anthropic")
    assert (b"Access-Control-Allow-Origin", b"https://a.example") in scope.own_fields


@pytest.mark.parametrize(("house", "target"), [(MODELS, "/v1/nothing"), (MODELS, "/"), (HOUSE, "/v1/messages")])
def test_what_is_neither_is_not_found(house: Any, target: str) -> None:
    scope = build_scope(house, "POST", target)
    with pytest.raises(Refused) as caught:
        admit(scope, HERE)
    assert (caught.value.code, scope.route) == (Code.NOT_FOUND, None)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "BREW"])
def test_a_route_says_which_methods_it_takes_to_who_can_read_its_dialect(method: str) -> None:
    scope = build_scope(MODELS, method, "/v1/messages")
    with pytest.raises(Refused) as caught:
        admit(scope, HERE)
    assert (caught.value.code, caught.value.headers) == (Code.METHOD, {"Allow": "POST, OPTIONS"})
    assert scope.dialect.name == "anthropic"


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_a_route_also_takes_what_is_answered_here(method: str) -> None:
    admit(build_scope(MODELS, method, "/v1/messages"), HERE)
