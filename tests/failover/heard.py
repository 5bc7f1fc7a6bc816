"""What a client has heard, judged as strictly as no SDK does: an answer that is not whole in every event is none.

`Heard.verdict` is one word. `full`: the fixed text, once, from its start to a finish and a clean end. `short`: it looks
complete and is not, which must never happen. `error`: ended by an error within the stream, and not complete. `refused`:
an HTTP error in the dialect's form. `broken`: anything else; `faults` say what.
"""

from dataclasses import dataclass, field

from tests.failover.voices import TEXT


@dataclass(slots=True)
class Heard:
    """finished: the dialect's finish was heard. complete: its end was, too. clean: HTTP said it was all. error: its
    message, wherever it stood. wall: seconds in all; gap: the longest without a byte, from the request on;
    first: until the first text. tokens: of the prompt and of the answer, as told."""

    dialect: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    model: str = ""
    tokens: tuple[int, int] | None = None
    finished: bool = False
    complete: bool = False
    clean: bool = False
    error: str | None = None
    faults: list[str] = field(default_factory=list)
    keepalives: int = 0
    wall: float = 0.0
    gap: float = 0.0
    first: float | None = None

    def expect(self, is_so: bool, fault: str) -> None:
        if not is_so and fault not in self.faults:
            self.faults.append(fault)

    @property
    def verdict(self) -> str:
        if self.status != 200:
            return "refused" if self.status >= 400 and self.error and self.clean and not self.faults else "broken"
        if self.error is not None:
            return "error" if self.clean and not (self.finished or self.complete or self.faults) else "broken"
        if not (self.complete and self.clean) or self.faults:
            return "broken"
        return "full" if self.text == TEXT else "short"

    def describe(self) -> str:
        """One line for whoever has to find out why."""
        parts = [self.verdict, f"status {self.status}", f"{len(self.text)} of {len(TEXT)} characters"]
        if self.error is not None:
            parts.append(f"error {self.error!r}")
        if not self.clean:
            parts.append("cut off")
        return ", ".join([*parts, *self.faults])
