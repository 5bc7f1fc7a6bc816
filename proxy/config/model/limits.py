"""Times, sizes and counts that nothing may exceed."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.marks import Leaf


class Limits(Struct, frozen=True, kw_only=True):
    max_body: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest request body; above it 413. Takes the largest request that Anthropic takes, 32 MB.",
        ),
    ] = 32 * 1024 * 1024
    connect: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Time for a connection upstream, name lookup and TLS included. Three lost SYN packets take 7 s.",
        ),
    ] = 10.0
    first_byte: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Time from the request to the head of the answer. A stream sends its head before the model has thought; "
            "an answer in one piece may need more.",
        ),
    ] = 60.0
    ttft: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Time from a stream's request to the first piece of its answer: text, thoughts or a tool call. What a "
            "provider sends to keep the connection does not count. A model that thinks unseen for longer wants more.",
        ),
    ] = 60.0
    progress: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Longest time between two pieces of a stream's answer. Longer than `ttft`, because what has begun is worth "
            "more patience.",
        ),
    ] = 120.0
    idle: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "Longest silence of an answer that has begun. A model may think for minutes between two events, and not "
            "every provider sends keep-alives.",
        ),
    ] = 300.0
    write_stall: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "How long a caller may take nothing while data waits for it. A minute bridges a lost radio link, and "
            "frees the upstream connection after it.",
        ),
    ] = 60.0
    hold_status: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "How long the status of a stream is held back while an account that answers is looked for; then 200 and "
            "keep-alives. Most refusals come within it, and callers do not give up yet. Off: until the answer begins.",
        ),
    ] = 10.0
    heartbeat: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "After this much silence towards the caller of a model route a keep-alive of its dialect is written. "
            "Middleboxes close after 30 s to a minute.",
        ),
    ] = 10.0
    deadline: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "How long after its start a request that has no answer yet is tried again; an attempt under way has its "
            "own clocks. Three times `ttft`.",
        ),
    ] = 180.0
    attempts: Annotated[
        int,
        Leaf(kinds.COUNT, "Requests to providers for one of a caller's. Two full rounds at two providers."),
    ] = 6
    attempts_per_provider: Annotated[
        int,
        Leaf(
            kinds.COUNT,
            "How many of them go to one provider. What has failed three times in a row will not be well at the fourth.",
        ),
    ] = 3
    retry_budget: Annotated[
        float,
        Leaf(
            kinds.SHARE,
            "Attempts beyond a request's first, as a share of all requests of the last seconds; three a second are "
            "always free. A fifth, so that a provider in trouble gets little more load than a healthy one.",
        ),
    ] = 0.2
    cooldown_max: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Longest time that an account is left alone before it is tried again with one request, whatever the "
            "provider says: some name days.",
        ),
    ] = 3600.0
    drain: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_ZERO,
            "Time for running streams to end after SIGTERM; 0 ends them at once. Under the 90 s after which systemd "
            "kills.",
        ),
    ] = 30.0
    head_timeout: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Time for a whole request head. A head fits in a few packets; who needs longer holds connections open "
            "on purpose.",
        ),
    ] = 10.0
    body_idle: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "Longest pause between two reads of a request body. As `write_stall`, the other way.",
        ),
    ] = 30.0
    body_rate: Annotated[
        int,
        Leaf(
            kinds.SIZE_OR_ZERO,
            "Slowest request body in bytes per second, averaged over 30 s after a grace of 10 s; 0 for any. Slower "
            "than any modem, faster than a slow-body attack wants to be.",
        ),
    ] = 64
    connections: Annotated[
        int,
        Leaf(
            kinds.COUNT,
            "Connections of callers in the process. Above it those that wait for a request are closed, first who has "
            "never sent a whole one, then the longest idle; where none is, 503. As many as `streams`.",
        ),
    ] = 10_000
    connections_per_address: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO,
            "Connections from one address, or from one IPv6 network of 64 bits; above it 503; 0 for any number. Any, "
            "because an application's server or a front proxy is one address with all of them. Where callers come from "
            "anywhere 200 is enough for an office behind one address, and fifty such addresses are needed to take them "
            "all.",
        ),
    ] = 0
    memory: Annotated[
        int,
        Leaf(
            kinds.SIZE_OR_ZERO,
            "Memory of the process above which new requests get 503 until it is less again; streams that run go on. 0 "
            "for no ceiling, because the machine is not known.",
        ),
    ] = 0
    streams: Annotated[
        int,
        Leaf(
            kinds.COUNT,
            "Requests in flight in the process; above it 503. At 25 KB for an open stream this is 250 MB, and two "
            "file descriptors each.",
        ),
    ] = 10_000
    request_target: Annotated[
        int,
        Leaf(kinds.SIZE, "The longest request target; above it 414. RFC 9112 3 asks for at least 8000 bytes."),
    ] = 8 * 1024
    request_head_field: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest header field of a request; above it 431. Twice the usual 8 KiB, for tokens that carry claims.",
        ),
    ] = 16 * 1024
    request_head_fields: Annotated[
        int,
        Leaf(kinds.COUNT, "Header fields of a request; above it 431. Several times what an SDK sends."),
    ] = 128
    response_field: Annotated[
        int,
        Leaf(
            kinds.SIZE,
            "The longest header field of an answer; above it 502. Providers are configured, so more is trusted than "
            "from a caller.",
        ),
    ] = 64 * 1024
    response_fields: Annotated[
        int, Leaf(kinds.COUNT, "Header fields of an answer; above it 502. Twice what a request may have.")
    ] = 256
