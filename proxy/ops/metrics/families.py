"""Every metric that is counted from finished requests: its name, what it says, its labels and its buckets.

Names, labels and buckets of `gen_ai_*` are those of OpenTelemetry's GenAI conventions in Prometheus' spelling, so that
dashboards made for others fit. `client` is what the proxy saw of its providers, `server` what its clients saw of it.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric

from proxy.ops.metrics.series import Counts, Spread
from proxy.relay.outcome import EndReason

TIMES: Final = tuple(round(0.01 * 2**power, 2) for power in range(14))
"""Seconds, 0.01 to 81.92."""

LONG_TIMES: Final = (*TIMES, 163.84, 327.68, 655.36)
"""Streams outlast 82 seconds."""

TOKENS: Final = tuple(4**power for power in range(14))

_OVERHEAD: Final = tuple(0.00025 * 2**power for power in range(16))
"""Seconds, 0.25 ms to 8.2 s: what the proxy adds by itself, and waiting for a free account."""

_LAG: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

_DELAY: Final = tuple(0.00001 * 2**power for power in range(15))
"""Seconds, 10 us to 0.16 s: one read through the pump, translated or not."""

_PROVIDER: Final = "gen_ai_provider_name"
_MODEL: Final = "gen_ai_request_model"
_TYPE: Final = "gen_ai_token_type"
_OPERATION: Final = ("gen_ai_operation_name", _PROVIDER, _MODEL, "gen_ai_response_model", "error_type")


class Families:
    """All of them, one instance per process."""

    def __init__(self) -> None:
        self._build_times()
        self._build_usage()
        self._build_streams()

    def collect(self) -> Iterator[Metric]:
        for family in vars(self).values():
            yield family.collect()

    def _build_times(self) -> None:
        self.request = Spread(
            "gen_ai_server_request_duration_seconds",
            "Seconds from a client's request to the end of its answer.",
            LONG_TIMES,
            *_OPERATION,
        )
        self.first_token = Spread(
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from a client's request to the first substance of its stream.",
            TIMES,
            *_OPERATION,
        )
        self.operation = Spread(
            "gen_ai_client_operation_duration_seconds",
            "Seconds that one attempt at a provider took, to its end.",
            LONG_TIMES,
            *_OPERATION,
        )
        self.first_chunk = Spread(
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "Seconds from an attempt's request to the first substance of its stream.",
            TIMES,
            *_OPERATION,
        )
        self.chunk = Spread(
            "gen_ai_client_operation_time_per_output_chunk_seconds",
            "Seconds between two events of a stream, on its average.",
            TIMES,
            *_OPERATION,
        )
        self.overhead = Spread(
            "penstock_overhead_seconds", "Seconds that a client waited for the proxy, not for a provider.", _OVERHEAD
        )
        self.delay = Spread(
            "penstock_chunk_delay_seconds",
            "Seconds from an upstream's read to its bytes being written to the client, of a few reads per scrape.",
            _DELAY,
        )
        self.lag = Spread(
            "penstock_loop_lag_seconds",
            "Seconds by which the event loop was late, sampled while somebody scrapes.",
            _LAG,
        )

    def _build_usage(self) -> None:
        self.usage = Spread(
            "gen_ai_client_token_usage",
            "Tokens of a request, where the provider told all of them.",
            TOKENS,
            *_OPERATION,
            _TYPE,
        )
        self.tokens = Counts(
            "penstock_tokens",
            "Tokens, by whose word: reported, all of it the provider's; partial, some of it; estimated, none.",
            _PROVIDER,
            _MODEL,
            _TYPE,
            "source",
        )
        self.token_details = Counts(
            "penstock_token_details",
            "Tokens among those of penstock_tokens_total: read from or written to a cache, or reasoning.",
            _PROVIDER,
            _MODEL,
            "kind",
            "source",
        )
        self.cost = Counts(
            "penstock_cost_usd",
            "What requests cost, by the provider's word or else by the configured prices, in their currency.",
            _PROVIDER,
            _MODEL,
        )

    def _build_streams(self) -> None:
        self.ends = Counts("penstock_stream_end", "Requests that are over, by why they ended.", "reason")
        for reason in EndReason:
            self.ends.add((reason.value,), 0)  # a rate needs a first value to rise from
        self.attempts = Counts(
            "penstock_upstream_attempts", "Attempts at providers, by what became of them.", "provider", "outcome"
        )
        self.rescues = Counts("penstock_rescues", "Attempts that went on with an answer that had broken off.")
        self.hedges = Counts("penstock_hedges", "Attempts that were begun beside a slow one.")
        self.heartbeats = Counts("penstock_heartbeats", "Keep-alives that were written.")
        self.malformed = Counts("penstock_malformed_events", "Events that were left out because they are no JSON.")
        self.taps = Counts("penstock_tap_failures", "Streams whose events could not be counted to their end.")
