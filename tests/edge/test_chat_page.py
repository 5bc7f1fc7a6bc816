"""`GET /chat` over sockets: where it is and where not, to whom, and that its policy is about what is really sent."""

import base64
import hashlib
import re
from typing import Any

import pytest

from proxy.config.load import build_config
from proxy.edge.chat_page import answer_page
from proxy.relay.outcome import EndReason
from proxy.types import RequestId
from tests.helpers.origin import origin
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.service import mounted, running

ON: dict[str, Any] = {"chat": {"enabled": True}}


def hash_all(element: bytes, body: bytes) -> list[str]:
    found = re.findall(rb"<%b>(.*?)</%b>" % (element, element), body, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in found]


async def test_the_page_is_one_document_whose_policy_is_about_what_stands_in_it() -> None:
    async with running(ON) as proxy:
        reply = await fetch(proxy.port, "/chat")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    rules = dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))
    assert rules["script-src"].split() == hash_all(b"script", reply.body)
    assert rules["style-src"].split() == hash_all(b"style", reply.body)
    assert len(rules["script-src"].split()) == 5
    assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == "'none'"


async def test_nothing_in_it_comes_from_elsewhere_and_nothing_hides_in_attributes() -> None:
    async with running(ON) as proxy:
        body = (await fetch(proxy.port, "/chat")).body
    assert not re.search(rb"<(?:link|script|img|iframe)[^>]*(?:src|href)=[\"'](?!data:)", body)
    assert not re.search(rb"\s(?:on[a-z]+|style)=[\"']", body)
    assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", body)
    assert set(re.findall(rb"https?://[\w.]+", body)) <= {b"http://www.w3.org"}, "names of XML, never fetched"


@pytest.mark.parametrize("config", [{}, {"chat": {"enabled": False}}])
async def test_without_the_key_in_the_configuration_there_is_no_page(config: dict[str, Any]) -> None:
    async with running(config) as proxy:
        assert (await fetch(proxy.port, "/chat")).status == 404


@pytest.mark.parametrize("target", ["/chat/", "/Chat", "/chat/x", "//chat", "/%63hat"])
async def test_the_page_is_at_one_path_only(target: str) -> None:
    async with running(ON) as proxy:
        assert (await fetch(proxy.port, target)).status == 404


async def test_a_query_changes_nothing() -> None:
    async with running(ON) as proxy:
        assert (await fetch(proxy.port, "/chat?a=b")).status == 200


async def test_the_admin_listener_has_no_page() -> None:
    async with running(ON) as proxy:
        assert (await fetch(proxy.admin_port, "/chat")).status == 404


async def test_only_reading_is_allowed() -> None:
    async with running(ON) as proxy:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            reply = await fetch(proxy.port, "/chat", method=method)
            assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask("/chat", method="HEAD")
            head = await client.reply(bodiless=True)
    assert (head.status, int(head.headers["content-length"])) == (200, len(answer_page(RequestId("req_1"))._whole))


async def test_the_page_needs_no_key_where_everything_else_does() -> None:
    digest = hashlib.sha256(b"pk-1").hexdigest()
    async with origin() as upstream:
        config = {**mounted(upstream.base_url, auth="key"), **ON, "clients": {"a": {"key_sha256": digest}}}
        async with running(config) as proxy:
            assert (await fetch(proxy.port, "/chat")).status == 200
            assert (await fetch(proxy.port, "/up/x")).status == 401
            record = await proxy.wait_record()
    assert (record.mount, record.end, record.status, record.client) == ("/chat", EndReason.DONE, 200, None)
    assert not upstream.peers


async def test_a_reload_can_take_the_page_away() -> None:
    async with running(ON) as proxy:
        assert (await fetch(proxy.port, "/chat")).status == 200
        proxy.penstock.reload(build_config([("test", {})], {}))
        assert (await fetch(proxy.port, "/chat")).status == 404
