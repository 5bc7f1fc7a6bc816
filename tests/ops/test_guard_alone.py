"""The guard by itself, under a clock moved by hand: cookies, guessing, names."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

from proxy.config.address import parse_address
from proxy.config.secret import Secret
from proxy.ops import guard, guesses
from proxy.ops.admin_body import Rejected
from proxy.ops.guard import LIFETIME, Guard
from proxy.ops.guesses import MOST_WRONG, WITHIN

TOKEN = "the-token-of-this-console"
LOOPBACK = "127.0.0.1:8788"


def build_request(
    path: str = "/accounts", cookies: Mapping[str, str] | None = None, *, secure: bool = False, **headers: str
) -> Any:
    fields = CIMultiDict({"Host": "127.0.0.1:8788", **headers})
    known = {"sockname": ("127.0.0.1", 8788)}
    return SimpleNamespace(
        path=path,
        method="GET",
        headers=fields,
        cookies=cookies or {},
        remote="127.0.0.1",
        get_extra_info=known.get,
        secure=secure,
    )


def build_guard(address: str = LOOPBACK, token: str = TOKEN) -> tuple[Guard, list[float]]:
    now = [1000.0]
    return Guard(parse_address(address), Secret(token), lambda: now[0], lambda: now[0]), now


def read_cookie(found: tuple[bytes, bytes]) -> dict[str, str]:
    name, _, value = found[1].decode().partition(";")[0].partition("=")
    return {name: value}


def refused(found: Guard, request: Any) -> str:
    with pytest.raises(Rejected) as caught:
        found.admit(request)
    return caught.value.code


def test_a_cookie_is_good_for_its_time_and_as_it_was_made() -> None:
    one, now = build_guard()
    cookie = read_cookie(one.sign_in(build_request("/console/login"), TOKEN))
    ((name, value),) = cookie.items()
    assert name == "penstock_console_8788"
    one.admit(build_request(cookies=cookie))
    later = f"{int(value.partition('.')[0]) + 1}.{value.partition('.')[2]}"
    for forged in (later, value[:-1], "", ".", f"{'9' * 13}.x", f"²{value}", value.partition(".")[0]):
        assert refused(one, build_request(cookies={name: forged})) == "token_wanted"
    now[0] += LIFETIME
    assert refused(one, build_request(cookies=cookie)) == "token_wanted"


def test_a_cookie_that_was_given_by_tls_never_goes_back_in_the_clear() -> None:
    one, _ = build_guard()
    for secure in (False, True):
        for _, field in (one.sign_in(build_request(secure=secure), TOKEN), one.sign_out(build_request(secure=secure))):
            assert (b"; Secure" in field) is secure


def test_an_unsigned_cookie_opens_nothing_where_there_is_no_token() -> None:
    one, _ = build_guard("0.0.0.0:8788", "")
    other, _ = build_guard(token="")
    cookie = read_cookie(other.sign_in(build_request(), "x"))
    assert refused(one, build_request(cookies=cookie)) == "token_missing"


def test_guessing_is_forgiven_after_a_while_and_forgotten_of_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "MOST_ADDRESSES", 2)
    one, now = build_guard()

    def guess(remote: str, token: str) -> str:
        request = build_request(Authorization=f"Bearer {token}")
        request.remote = remote
        try:
            one.admit(request)
        except Rejected as rejected:
            return rejected.code
        return ""

    for number in range(MOST_WRONG):
        assert guess("10.0.0.1", f"x{number}") == "token_wanted"
    assert guess("10.0.0.1", TOKEN) == "too_many_logins"
    assert guess("10.0.0.2", TOKEN) == ""
    now[0] += WITHIN
    assert guess("10.0.0.1", TOKEN) == ""
    for number in range(MOST_WRONG):
        guess("10.0.0.1", f"x{number}")
    for remote in ("10.0.0.2", "10.0.0.3"):
        guess(remote, "x")
    assert guess("10.0.0.1", TOKEN) == ""


def test_the_configured_name_is_its_own() -> None:
    one, _ = build_guard("Gateway.example.:8788", "")
    other, _ = build_guard("*:8788", "")
    assert refused(one, build_request(Host="gateway.example")) == "token_missing"
    assert refused(other, build_request(Host="gateway.example")) == "foreign_host"
    assert refused(other, build_request(Host="")) == "foreign_host"


def test_an_address_that_the_connection_came_to_is_its_own() -> None:
    one, _ = build_guard("*:8788")
    request = build_request(Host="10.1.2.3:8788")
    assert refused(one, request) == "foreign_host"
    request.get_extra_info = {"sockname": ("10.1.2.3", 8788)}.get
    assert refused(one, request) == "token_wanted"


def over_a_socket_in_the_file_system(host: str) -> Any:
    request = build_request(Host=host)
    request.get_extra_info = {"sockname": "/run/penstock.sock"}.get
    return request


def test_a_browser_comes_to_a_socket_in_the_file_system_by_what_forwards_to_it() -> None:
    """ssh -L 8089:/run/penstock.sock, and a page of evil.example whose name leads to 127.0.0.1 now."""
    one, _ = build_guard("unix:/run/penstock.sock", "")
    for host in ("localhost", "127.0.0.1:8089", "[::1]:8089"):
        one.admit(over_a_socket_in_the_file_system(host))
    for host in ("evil.example:8089", "10.0.0.1", ""):
        assert refused(one, over_a_socket_in_the_file_system(host)) == "foreign_host"


def test_a_front_proxy_may_call_a_socket_with_a_token_anything() -> None:
    one, _ = build_guard("unix:/run/penstock.sock")
    assert refused(one, over_a_socket_in_the_file_system("console.example")) == "token_wanted"
    cookie = read_cookie(one.sign_in(over_a_socket_in_the_file_system("console.example"), TOKEN))
    request = over_a_socket_in_the_file_system("console.example")
    request.cookies = cookie
    one.admit(request)


def forge(token: str, until: int = 10**9) -> dict[str, str]:
    """The cookie of whoever takes `token` for the right one."""
    other = Guard(parse_address(LOOPBACK), Secret(token), lambda: float(until - LIFETIME))
    return read_cookie(other.sign_in(build_request(), token))


def test_forged_cookies_are_guesses_like_any() -> None:
    one, now = build_guard(token="x7")
    for number in range(20, 20 + MOST_WRONG):
        assert refused(one, build_request(cookies=forge(f"x{number}"))) == "token_wanted"
    assert refused(one, build_request(cookies=forge("x7"))) == "token_wanted"
    assert refused(one, build_request(Authorization="Bearer x7")) == "too_many_logins"
    now[0] += WITHIN
    one.admit(build_request(cookies=forge("x7")))


def test_who_is_signed_in_is_not_locked_out_by_another_one_s_guesses() -> None:
    one, _ = build_guard()
    early, fresh = forge(TOKEN), read_cookie(one.sign_in(build_request(), TOKEN))
    one.admit(build_request(cookies=early))
    for number in range(MOST_WRONG):
        refused(one, build_request(Authorization=f"Bearer {number}"))
    for cookie in (early, fresh):
        one.admit(build_request(cookies=cookie))
        assert one.is_signed_in(build_request(cookies=cookie))
    one.change_token(Secret("another-token-of-this-console"))
    for cookie in (early, fresh):
        assert refused(one, build_request(cookies=cookie)) == "token_wanted"


def test_of_cookies_that_were_good_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_KNOWN", 2)
    one, _ = build_guard()
    cookies = [forge(TOKEN, 10**9 + number) for number in range(3)]
    for cookie in cookies:
        one.admit(build_request(cookies=cookie))
    for number in range(MOST_WRONG):
        refused(one, build_request(Authorization=f"Bearer {number}"))
    assert [one.is_signed_in(build_request(cookies=cookie)) for cookie in cookies] == [False, True, True]


def test_one_wrong_token_over_and_over_is_one_guess() -> None:
    one, _ = build_guard()
    stale = forge("the-token-of-last-year")
    for _ in range(3 * MOST_WRONG):
        assert refused(one, build_request(cookies=stale)) == "token_wanted"
        assert refused(one, build_request(Authorization="Bearer stale")) == "token_wanted"
    one.admit(build_request(Authorization=f"Bearer {TOKEN}"))
