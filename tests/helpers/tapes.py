"""A tape that keeps what it is told."""

from proxy.errors import UpstreamFault
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, UpstreamRequest


class FakeTake:
    """steps: the answer, bytes as they were read, then None, a fault or `aborted`."""

    def __init__(self) -> None:
        self.steps: list[object] = []

    def answered(self, answer: Answer) -> None:
        self.steps.append(answer)

    def received(self, data: bytes) -> None:
        self.steps.append(data)

    def ended(self, fault: UpstreamFault | None) -> None:
        self.steps.append(fault)

    def aborted(self) -> None:
        self.steps.append("aborted")


class FakeTape:
    def __init__(self) -> None:
        self.takes: list[tuple[Attempt, UpstreamRequest, FakeTake]] = []

    def open(self, attempt: Attempt, request: UpstreamRequest) -> FakeTake:
        take = FakeTake()
        self.takes.append((attempt, request, take))
        return take
