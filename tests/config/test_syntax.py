"""The small grammars: what each takes, what each refuses, and that no message repeats its text."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from proxy.config import syntax
from proxy.config.secret import Secret

HEX = "0123456789abcdef" * 4
ACCEPTED: list[tuple[Callable[[str], object], str, object]] = [
    (syntax.check_name, "dev", "dev"),
    (syntax.check_price, "openai/gpt-5", "openai/gpt-5"),
    (syntax.check_price, "openrouter/openai/gpt-*", "openrouter/openai/gpt-*"),
    (syntax.check_price, "*/*", "*/*"),
    (syntax.check_rule, "failed", "failed"),
    (syntax.check_rule, "all", "all"),
    (syntax.check_rule, "sample:1", "sample:1"),
    (syntax.check_rule, "sample:0.01", "sample:0.01"),
    (syntax.check_rule, "client:dev", "client:dev"),
    (syntax.check_rule, "model:gpt-*", "model:gpt-*"),
    (syntax.check_key_or_none, "", Secret("")),
    (syntax.check_key_or_none, "abc", Secret("abc")),
    (syntax.check_name, "a.b_c-9", "a.b_c-9"),
    (syntax.check_name, "x" * 64, "x" * 64),
    (syntax.check_mount_path, "/a", "/a"),
    (syntax.check_mount_path, "/a/v1", "/a/v1"),
    (syntax.check_mount_path, "/v12/x", "/v12/x"),
    (syntax.check_mount_path, "/a.b/~c/...", "/a.b/~c/..."),
    (syntax.check_base_url, "http://127.0.0.1:9100/events", "http://127.0.0.1:9100/events"),
    (syntax.check_base_url, "https://api.openai.com/v1/", "https://api.openai.com/v1"),
    (syntax.check_base_url, "https://api.openai.com/", "https://api.openai.com"),
    (syntax.check_base_url, "HTTPS://Example.COM", "https://Example.COM"),
    (syntax.check_base_url, "http://[::1]:80/a%20b", "http://[::1]:80/a%20b"),
    (syntax.check_base_url, "http://[::1]", "http://[::1]"),
    (syntax.check_header_name, "X-Api-Key", "X-Api-Key"),
    (syntax.check_header_name, "authorization", "authorization"),
    (syntax.check_header_value, "a b\tc", Secret("a b\tc")),
    (syntax.check_key, "sk-1", Secret("sk-1")),
    (syntax.check_pattern, "claude-*", "claude-*"),
    (syntax.check_pattern, "meta/llama:free[1m]", "meta/llama:free[1m]"),
    (syntax.check_target, "a/b", "a/b"),
    (syntax.check_target, "a/b/c:d", "a/b/c:d"),
    (syntax.check_target, "a/*", "a/*"),
    (syntax.check_origin, "*", "*"),
    (syntax.check_origin, "https://App.Example", "https://app.example"),
    (syntax.check_origin, "https://app.example:443", "https://app.example"),
    (syntax.check_origin, "http://localhost:5173", "http://localhost:5173"),
    (syntax.check_origin, "http://localhost:80", "http://localhost"),
    (syntax.check_origin, "https://app.example:80", "https://app.example:80"),
    (syntax.check_origin, "http://[::1]:3000", "http://[::1]:3000"),
    (syntax.check_origin, "chrome-extension://abcdef", "chrome-extension://abcdef"),
    (syntax.check_parameter, "stream_options.include_usage", "stream_options.include_usage"),
    (syntax.check_project, "my-project", "my-project"),
    (syntax.check_project, "example.com:proj", "example.com:proj"),
    (syntax.check_query, "", ""),
    (syntax.check_query, "api-version=preview&a=%2F", "api-version=preview&a=%2F"),
    (syntax.check_argument, "a b\n", Secret("a b\n")),
    (syntax.check_proxy, "", Secret("")),
    (syntax.check_proxy, "http://proxy", Secret("http://proxy")),
    (syntax.check_proxy, "HTTPS://u:p%40@proxy.example:8443/", Secret("https://u:p%40@proxy.example:8443")),
    (syntax.check_proxy, "http://u:@[::1]:3128", Secret("http://u:@[::1]:3128")),
    (syntax.hash_key, "dev", sha256(b"dev").digest()),
    (syntax.check_sha256, HEX, bytes.fromhex(HEX)),
    (syntax.check_sha256, HEX.upper(), bytes.fromhex(HEX)),
    (syntax.check_pseudonym, "", ""),
    (syntax.check_pseudonym, "edge-1", "edge-1"),
]
REFUSED: list[tuple[Callable[[str], object], list[str]]] = [
    (syntax.check_price, ["", "gpt-5", "/gpt-5", "a/", "a b/c", "a/b c", "*", "?/b"]),
    (syntax.check_rule, ["", "Failed", "failed:", "sample", "sample:", "sample:0", "sample:0.0", "sample:1.1"]),
    (syntax.check_rule, ["sample:1e-3", "sample:-1", "client:", "client:a b", "model:", "model:a b", "models:x"]),
    (syntax.check_key_or_none, [" ", "a b", "ü"]),
    (syntax.check_name, ["", "a b", "a/b", ".a", "-a", "ü", "x" * 65, "a\n"]),
    (syntax.check_mount_path, ["", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a?b", "/a#b", "/%61", "/a b"]),
    (syntax.check_mount_path, ["/ü", "/a\n", "/a\\b", *(f"/{name}" for name in syntax.RESERVED_SEGMENTS), "/v1/x"]),
    (syntax.check_base_url, ["", "api.openai.com", "ftp://a", "http:/a", "http://", "http:///a", "http://:80", "//a"]),
    (
        syntax.check_base_url,
        ["http://u@a", "http://u:p@a/x", "http://a?k=v", "http://a/#f", "http://a/?", "http://a\\b"],
    ),
    (
        syntax.check_base_url,
        ["http://a:0", "http://a:", "http://a:65536", "http://a:b", "http://a:80:80", "http://::1"],
    ),
    (syntax.check_base_url, ["http://[::1", "http://[x]", "http://[::1]x", "http://*", "http://1.2.3", "http://a_,b"]),
    (syntax.check_base_url, ["http://a/..", "http://a/%2e%2E/x", "http://a/./b", "http://a//b", "http://a/b//"]),
    (syntax.check_base_url, ["http://a/%zz", "http://a/%2", "http://a/ b", "http://ü", "http://a\n", "http://a\x00"]),
    (syntax.check_header_name, ["", "a b", "a:", "ü", "a\n", "x" * 257]),
    (syntax.check_header_name, [name.title() for name in syntax.REFUSED_HEADERS]),
    (syntax.check_header_value, ["", " a", "a ", "a\r\nb", "a\x00", "ü", "\x7f"]),
    (syntax.check_key, ["", "a b", "a\n", "ü", "\udc80", "\x7f"]),
    (syntax.hash_key, ["", "a b", "ü", "\udc80"]),
    (syntax.check_sha256, ["", HEX[1:], HEX + "0", "g" * 64, HEX + "\n", "٣" * 64]),
    (syntax.check_pattern, ["", "a b", "a\n", "x" * 257, "\udc80"]),
    (syntax.check_target, ["", "a", "/b", "a/", "a b/c", "ü/c", "a/b c", "a/b*", "a/*b", "*/b", "a/**"]),
    (syntax.check_origin, ["", "null", "app.example", "https://", "https:app.example", "//a", "1s://a", "https://*"]),
    (syntax.check_origin, ["https://a/", "https://a/b", "https://a?b", "https://a#b", "https://u@a", "https://a b"]),
    (syntax.check_origin, ["https://a:0", "https://a:b", "https://::1", "https://ü", "**", "https://*.example"]),
    (syntax.check_parameter, ["", "a b", "1a", "ü", "a\n", "x" * 129]),
    (syntax.check_project, ["a b", "-a", "a/b", "ü", "x" * 129]),
    (syntax.check_query, ["?a=b", "a b", "a#b", "a=%2", "ü", "a\n", "x" * 1025]),
    (syntax.check_argument, ["", "a\0"]),
    (
        syntax.check_proxy,
        ["proxy:3128", "socks5://proxy", "http:proxy", "http://", "http://u:p@", "http://a:0", "http://a/b"],
    ),
    (
        syntax.check_proxy,
        ["http://a b@c", "http://u:%@c", "http://ü@c", "http://a@b@c", "http://a?b", "http://a#b", "http://*"],
    ),
    (syntax.check_pseudonym, ["a b", "a:80", "ü", "x" * 65, " "]),
]


@pytest.mark.parametrize(("check", "text", "expected"), ACCEPTED)
def test_text_that_fits_is_taken(check: Callable[[str], object], text: str, expected: object) -> None:
    assert check(text) == expected


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in REFUSED for text in texts])
def test_text_that_does_not_fit_is_refused(check: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check(text)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (syntax.check_name, "canary of mine"),
        (syntax.check_mount_path, "/x?key=canary"),
        (syntax.check_base_url, "https://user:canary@example.com/"),
        (syntax.check_base_url, "https://example.com:canary/"),
        (syntax.check_base_url, "canary"),
        (syntax.check_header_name, "Authorization: canary"),
        (syntax.check_header_value, "canary\n"),
        (syntax.check_key, "canary canary"),
        (syntax.hash_key, "canary canary"),
        (syntax.check_sha256, "canary"),
        (syntax.check_pseudonym, "canary canary"),
        (syntax.check_pattern, "canary canary"),
        (syntax.check_target, "canary"),
        (syntax.check_price, "canary"),
        (syntax.check_rule, "canary"),
        (syntax.check_key_or_none, "canary canary"),
        (syntax.check_origin, "https://user:canary@example.com"),
        (syntax.check_argument, "canary\0"),
        (syntax.check_proxy, "http://user:canary canary@proxy"),
        (syntax.check_proxy, "http://proxy:canary"),
    ],
)
def test_message_never_repeats_the_text(check: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        check(text)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "name", "masked"),
    [
        ("", "", ""),
        ("http://proxy", "proxy:80", "http://proxy"),
        ("https://u:canary@proxy", "proxy:443", "https://***@proxy"),
        ("http://canary@[::1]", "[::1]:80", "http://***@[::1]"),
        ("http://u:canary@[::1]:3128", "[::1]:3128", "http://***@[::1]:3128"),
    ],
)
def test_proxy_is_named_without_its_password(proxy: str, name: str, masked: str) -> None:
    checked = syntax.check_proxy(proxy)
    assert (syntax.name_proxy(checked), syntax.mask_proxy(checked)) == (name, masked)
