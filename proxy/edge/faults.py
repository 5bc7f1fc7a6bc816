"""What a connection to an upstream did, as a trouble that the accounts' policy judges."""

from typing import Final

from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import Failure, FailureKind
from proxy.edge.failures import map_code
from proxy.errors import Code, UpstreamFault

_HOW: Final = {
    Code.REFUSED: How.CONNECT,
    Code.DNS: How.CONNECT,
    Code.TLS: How.CONNECT,
    Code.UNREACHABLE: How.CONNECT,
    Code.GUARDED: How.CONNECT,
    Code.PROXY: How.CONNECT,
    Code.CONNECT_TIMEOUT: How.CONNECT,
    Code.DESCRIPTORS: How.OURS,
    Code.FIRST_BYTE_TIMEOUT: How.SILENT,
    Code.TTFT_TIMEOUT: How.SILENT,
    Code.IDLE_TIMEOUT: How.SILENT,
    Code.CUT: How.CUT,
    Code.PROTOCOL: How.CUT,
}
"""What is not listed was an answer, if a bad one."""

_NO_TOKEN: Final = Failure(FailureKind.UPSTREAM_AUTH, "no token for the account could be had", 502)


def read_fault(fault: UpstreamFault) -> Trouble:
    if fault.code is Code.TOKEN:
        return Trouble(How.ANSWER, _NO_TOKEN)
    failure = map_code(fault.code) or Failure(FailureKind.BAD_GATEWAY, fault.code.message, 502)
    return Trouble(_HOW.get(fault.code, How.ANSWER), failure)
