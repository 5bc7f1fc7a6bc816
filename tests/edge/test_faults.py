"""What a connection did, as a trouble."""

import pytest

from proxy.accounts.trouble import How
from proxy.dialects.events import FailureKind
from proxy.edge.faults import read_fault
from proxy.errors import Code, UpstreamFault

K = FailureKind

EXPECTED = {
    Code.REFUSED: (How.CONNECT, K.BAD_GATEWAY),
    Code.DNS: (How.CONNECT, K.BAD_GATEWAY),
    Code.TLS: (How.CONNECT, K.BAD_GATEWAY),
    Code.UNREACHABLE: (How.CONNECT, K.BAD_GATEWAY),
    Code.GUARDED: (How.CONNECT, K.BAD_GATEWAY),
    Code.PROXY: (How.CONNECT, K.BAD_GATEWAY),
    Code.CONNECT_TIMEOUT: (How.CONNECT, K.TIMEOUT),
    Code.DESCRIPTORS: (How.OURS, K.OVERLOADED),
    Code.CUT: (How.CUT, K.BAD_GATEWAY),
    Code.PROTOCOL: (How.CUT, K.BAD_GATEWAY),
    Code.FIRST_BYTE_TIMEOUT: (How.SILENT, K.TIMEOUT),
    Code.TTFT_TIMEOUT: (How.SILENT, K.TIMEOUT),
    Code.IDLE_TIMEOUT: (How.SILENT, K.TIMEOUT),
    Code.TOKEN: (How.ANSWER, K.UPSTREAM_AUTH),
    Code.ANSWER_TOO_LARGE: (How.ANSWER, K.BAD_GATEWAY),
}


@pytest.mark.parametrize("code", EXPECTED)
def test_what_a_fault_is(code: Code) -> None:
    trouble = read_fault(UpstreamFault(code, "ECONNRESET 10.0.0.1"))
    assert (trouble.how, trouble.failure.kind) == EXPECTED[code]
    assert not trouble.committed
    assert "10.0.0.1" not in trouble.failure.message


@pytest.mark.parametrize("code", [code for code in Code if code.slug.startswith("upstream_") or code.status == 504])
def test_every_fault_of_an_upstream_is_known(code: Code) -> None:
    assert code in EXPECTED


@pytest.mark.parametrize("code", [Code.UPGRADE, Code.METHOD])
def test_what_no_dialect_has_a_word_for_is_a_bad_answer(code: Code) -> None:
    failure = read_fault(UpstreamFault(code)).failure
    assert (failure.kind, failure.status, failure.message) == (K.BAD_GATEWAY, 502, code.message)
