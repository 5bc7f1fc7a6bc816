"""A route played through: what every account says is written down before, and which moves a rotation makes comes out.

A route is words like `x` or `x:big` (provider, model `m` unless said otherwise), an account `x1`, `x2`. Moves read
`x1@0` (asked at second 0 and failed), `wait 2` (until second 2) and, last, `ok` or `end`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease
from proxy.accounts.budget import RetryBudget
from proxy.accounts.rotation import Bounds, Candidate, End, Go, Rotation, Wait
from proxy.accounts.trouble import Trouble
from proxy.types import AccountName, ProviderName
from tests.helpers.books import NOW

FREE = RetryBudget(1.0, 100.0)
"""That stops nobody."""


@dataclass
class Route:
    """accounts: how many a provider has, 1 unless it stands here. context, tier, weight: by word of the route.
    until: seconds from the beginning."""

    words: str
    accounts: Mapping[str, int] = field(default_factory=dict)
    context: Mapping[str, int] = field(default_factory=dict)
    tier: Mapping[str, int] = field(default_factory=dict)
    weight: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 6
    per_provider: int = 3
    until: float = 1e6
    budget: RetryBudget = field(default_factory=lambda: FREE)
    strategy: str = "fill-first"

    def __post_init__(self) -> None:
        self.board = Board()
        self.books: dict[str, Book] = {}
        self.candidates = [self._build(place, word) for place, word in enumerate(self.words.split())]

    def _build(self, place: int, word: str) -> Candidate:
        name, _, model = word.partition(":")
        if name not in self.books:
            rows = [AccountRow(AccountName(f"{name}{number + 1}")) for number in range(self.accounts.get(name, 1))]
            self.books[name] = Book(ProviderName(name), rows, self.board, strategy=self.strategy)
        tier, weight = self.tier.get(word, place), self.weight.get(word, 1)
        return Candidate(
            ProviderName(name), model or "m", self.books[name], self.context.get(word, 0), tier=tier, weight=weight
        )

    def rotate(self, draw: float = 0.5, session: str = "") -> Rotation:
        bounds = Bounds(self.attempts, self.per_provider, NOW + self.until)
        return Rotation(self.candidates, bounds, self.budget, lambda: draw, session=session)

    def strike(self, account: str, trouble: Trouble, now: float = NOW) -> None:
        """What befell another request."""
        lease = take_account(self.books[account[0]], account, now)
        lease.fail(trouble, now, 0.5)
        lease.close(now)


def take_account(book: Book, account: str, now: float) -> Lease:
    """A lease of this very account."""
    wanted = next(index for index, row in enumerate(book.rows) if row.name == account)
    lease = book.pick(now, "m", skip=frozenset(range(len(book.rows))) - {wanted})
    assert isinstance(lease, Lease)
    return lease


Said = Trouble | tuple[float, Trouble] | None
"""What an attempt comes to: a trouble, at once or after seconds; None is an answer."""


def play(route: Route, says: Mapping[str, Sequence[Said]]) -> tuple[str, End | None]:
    """The moves, and the end where nobody answered. What an account says last it says for ever; one that does not
    stand in `says` answers."""
    rotation, now, moves = route.rotate(), NOW, list[str]()
    left = {account: list(said) for account, said in says.items()}
    while len(moves) < 50:
        move = rotation.next(now)
        if isinstance(move, End):
            return ", ".join([*moves, "end"]), move
        if isinstance(move, Wait):
            assert move.until > now
            now = move.until
            moves.append(f"wait {show(now)}")
            continue
        moves.append(f"{name(move)}@{show(now)}")
        said = left.get(name(move), [None])
        seconds, trouble = _split(said.pop(0) if len(said) > 1 else said[0])
        now += seconds
        if trouble is None:
            move.lease.succeed(now)
            return ", ".join([*moves, "ok"]), None
        rotation.note(move, trouble, now)
        move.lease.close(now)
    raise AssertionError(moves)


def name(go: Go) -> str:
    return str(go.lease.account)


def show(now: float) -> str:
    return f"{round(now - NOW, 2):g}"


def _split(said: Said) -> tuple[float, Trouble | None]:
    return said if isinstance(said, tuple) else (0.0, said)
