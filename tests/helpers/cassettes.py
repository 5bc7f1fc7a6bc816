"""Cassettes for tests: takes by hand, and by hypothesis."""

from hypothesis import strategies as st

from proxy.wire.cassette import About, Asked, Cassette, End, Head, Take

SSE = (("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))


def build_take(*reads: tuple[float, bytes | int], number: int = 1, **fields: object) -> Take:
    """Answered at once, ended with its last read; complete unless told otherwise."""
    settings: dict[str, object] = {
        "asked": Asked("up", method="POST", target="/v1/chat/completions"),
        "answered": 0.0,
        "head": Head(200, "OK", SSE),
        "data": list(reads),
        "ended": reads[-1][0] if reads else 0.0,
        "end": End("complete"),
        **fields,
    }
    return Take(number, **settings)  # type: ignore[arg-type]


_TEXTS = st.text(st.characters(max_codepoint=255), max_size=20)
_TIMES = st.integers(0, 10**12).map(lambda micros: micros / 1e6)
_READS = st.tuples(_TIMES, st.one_of(st.binary(max_size=200), st.just(b"1 2 data 3\nabc\n")))


@st.composite
def takes(draw: st.DrawFn, number: int) -> Take:
    head = draw(st.none() | st.builds(Head, st.integers(200, 599), _TEXTS, st.tuples(st.tuples(_TEXTS, _TEXTS))))
    return Take(
        number,
        draw(_TIMES),
        Asked(draw(_TEXTS) or "up", dialect=draw(_TEXTS), headers=((draw(_TEXTS), draw(_TEXTS)),)),
        draw(st.none() | st.binary(max_size=50)),
        None if head is None else draw(_TIMES),
        head,
        draw(st.lists(_READS | st.tuples(_TIMES, st.integers(0, 10**9)), max_size=5)),
        *draw(st.just((None, None)) | st.tuples(_TIMES, st.builds(End, _TEXTS, _TEXTS))),
    )


@st.composite
def cassettes(draw: st.DrawFn) -> Cassette:
    count = draw(st.integers(0, 3))
    about = About(draw(_TEXTS), draw(_TIMES), model=draw(_TEXTS))
    outcome: dict[str, object] | None = {"a": 1} if draw(st.booleans()) else None
    return Cassette(about, [draw(takes(number)) for number in range(1, count + 1)], outcome)
