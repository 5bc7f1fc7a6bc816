"""From a finished record to every metric that counts it.

`server` metrics go by the name that the client asked for, `client` metrics and whatever is paid for by the provider's
own name for the model. `gen_ai_client_token_usage` holds what providers told, all of it: the conventions forbid guesses
there. `penstock_tokens_total` holds that and the others, each with its source.
"""

from proxy.ops.metrics.families import Families
from proxy.ops.metrics.labels import ModelNames, name_attempt_error, name_error, name_operation, name_outcome
from proxy.ops.metrics.measure import find_answer, is_answered, measure_chunks, measure_operation, measure_overhead
from proxy.relay.outcome import Attempt, EndReason, Record
from proxy.usage.meter import ESTIMATED, REPORTED


class Counting:
    """count: called once per request, when all of it is known; it never raises."""

    def __init__(self, families: Families, models: ModelNames) -> None:
        self._families = families
        self._models = models

    def count(self, record: Record) -> None:
        families = self._families
        families.ends.add(((record.end or EndReason.DONE).value,), 1)
        if record.rescues:
            families.rescues.add((), record.rescues)
        if record.hedges:
            families.hedges.add((), record.hedges)
        if record.heartbeats:
            families.heartbeats.add((), record.heartbeats)
        if record.malformed:
            families.malformed.add((), record.malformed)
        if record.tap_failed:
            families.taps.add((), 1)
        operation = name_operation(record)
        if operation:
            self._count_operation(record, operation)

    def _count_operation(self, record: Record, operation: str) -> None:
        families, models, error = self._families, self._models, name_error(record)
        answer = find_answer(record.attempts)
        answering = models.name_answering(record.model, answer.model if answer else "")
        labels = (operation, record.provider or "", models.name(record.model_asked), answering, error)
        families.request.note(labels, record.duration)
        if record.ttft is not None:
            families.first_token.note(labels, record.ttft)
        overhead = measure_overhead(record)
        if overhead is not None:
            families.overhead.note((), overhead)
        for attempt in record.attempts:
            families.attempts.add((attempt.provider, name_outcome(attempt)), 1)
            why, model = name_attempt_error(attempt), models.name(attempt.model)
            if attempt is answer:
                labels = (operation, attempt.provider, model, answering, why or error)
                self._count_chunks(record, labels)
            else:
                labels = (operation, attempt.provider, model, "", why)
            self._count_attempt(record, attempt, labels)
        if record.attempts:
            payee = answer or record.attempts[-1]
            self._count_spent(record, (operation, payee.provider, models.name(payee.model), answering, error))

    def _count_attempt(self, record: Record, attempt: Attempt, labels: tuple[str, ...]) -> None:
        families = self._families
        families.operation.note(labels, measure_operation(record, attempt))
        if record.ttft is not None and is_answered(attempt):
            families.first_chunk.note(labels, attempt.seconds)

    def _count_chunks(self, record: Record, labels: tuple[str, ...]) -> None:
        chunks = measure_chunks(record)
        if chunks is not None:
            self._families.chunk.note(labels, chunks)

    def _count_spent(self, record: Record, labels: tuple[str, ...]) -> None:
        """All of it is put down to whoever answered last."""
        families = self._families
        _, provider, model, _, _ = labels
        if record.cost:
            families.cost.add((provider, model), max(record.cost, 0.0))
        usage = record.usage
        if usage is None:
            return
        source = record.usage_source or ESTIMATED
        for kind, tokens in (("input", usage.input), ("output", usage.output)):
            if tokens is not None:
                families.tokens.add((provider, model, kind, source), max(tokens, 0))
                if source == REPORTED:
                    families.usage.note((*labels, kind), tokens)
        details = (("cache_read", usage.cache_read), ("cache_write", usage.cache_write), ("reasoning", usage.reasoning))
        for kind, tokens in details:
            if tokens:
                families.token_details.add((provider, model, kind, source), max(tokens, 0))
