"""The error tree: what each error says, and that it says nothing it must not."""

import pytest

from proxy.errors import Code, ConfigError, Fault, PenstockError, Refused, UpstreamFault


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("a.toml", "server.listen", "no address"), "a.toml: server.listen: no address"),
        (Fault("a.toml", "", "unreadable"), "a.toml: unreadable"),
        (Fault("a.toml", "", "expected '='", 3, 7), "a.toml: line 3, column 7: expected '='"),
    ],
)
def test_a_fault_shows_where_it_is_and_what(fault: Fault, text: str) -> None:
    assert str(fault) == text


def test_a_configuration_error_lists_every_fault() -> None:
    error = ConfigError(iter([Fault("a", "b", "c"), Fault("d", "", "e")]))
    assert str(error) == "invalid configuration:\n  a: b: c\n  d: e"
    assert len(error.faults) == 2


def test_codes_are_told_apart_by_their_slugs_and_their_texts_are_whole_sentences() -> None:
    slugs = [code.slug for code in Code]
    assert len(set(slugs)) == len(slugs)
    for code in Code:
        assert 400 <= code.status < 600
        assert code.message[0].isupper()
        assert code.message.endswith(".")
        assert code.slug.replace("_", "").isalnum()


def test_a_refusal_shows_its_code() -> None:
    refused = Refused(Code.TARGET)
    assert str(refused) == "bad_target"
    assert (refused.headers, refused.close) == ({}, False)


def test_an_upstream_fault_shows_its_code_and_its_cause() -> None:
    assert str(UpstreamFault(Code.DNS)) == "upstream_dns"
    assert str(UpstreamFault(Code.CUT, "ClientOSError ECONNRESET")) == "upstream_cut (ClientOSError ECONNRESET)"


@pytest.mark.parametrize("error", [ConfigError([]), Refused(Code.BODY), UpstreamFault(Code.CUT)])
def test_everything_raised_on_purpose_has_one_root(error: Exception) -> None:
    assert isinstance(error, PenstockError)
