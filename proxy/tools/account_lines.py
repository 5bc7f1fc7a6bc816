"""The accounts as a table for people: `GET /accounts` in, text out. Pure.

One line for each account, one below it for each of its models that is left alone, and one for each provider or way out
that is. What a provider said must not drive the terminal: it is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from proxy.tools.event_lines import escape

_HEAD: Final = ("NAME", "STATE", "IN-FLIGHT", "UNTIL", "LEFT", "EGRESS", "WHY")
_OPERATOR: Final = "only `--clear` or a new key helps"
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

Fields = Mapping[str, Any]


def format_accounts(answer: Fields) -> str:
    """The whole table."""
    rows = [row for provider in answer["providers"] for row in _list_provider(provider)]
    return _align([_HEAD, *rows]) if rows else "no providers are configured"


def _list_provider(provider: Fields) -> Iterable[Sequence[str]]:
    name = provider["provider"]
    for cooldown in provider.get("cooldowns", ()):
        shown = f"{name} (all)" if cooldown["level"] == "provider" else f"{name} (egress)"
        yield _build_row(shown, cooldown, egress=cooldown.get("name", ""))
    for account in provider["accounts"]:
        shown = name if account["account"] is None else f"{name}/{account['account']}"
        cooldowns = account.get("cooldowns", ())
        own = next((cooldown for cooldown in cooldowns if cooldown["level"] == "account"), {"state": account["state"]})
        flying = str(account["in_flight"])
        if account.get("elsewhere"):
            flying += f"+{account['elsewhere']}"
        if account.get("max_streams"):
            flying += f"/{account['max_streams']}"
        yield _build_row(shown, own, flying, _show_left(account), account["egress"])
        for cooldown in cooldowns:
            if cooldown["level"] == "model":
                yield _build_row(f"{shown} {cooldown.get('model') or 'any model'}", cooldown)


def _build_row(name: str, cooldown: Fields, flying: str = "", left: str = "", egress: str = "") -> Sequence[str]:
    why = ""
    if "why" in cooldown:
        strikes = cooldown.get("strikes", 0)
        why = cooldown["why"] + (f" ({strikes} in a row)" if strikes > 1 else "")
        why += f": {cooldown['detail']}" if cooldown["detail"] else ""
        why += f"; {_OPERATOR}" if cooldown["lifted_by"] == "operator" else ""
    seconds = cooldown.get("seconds_left", 0.0)
    state = cooldown["state"] + (", tried now" if cooldown.get("probing") else "")
    return (name, state, flying, f"in {format_duration(seconds)}" if seconds else "", left, egress, why)


def _show_left(account: Fields) -> str:
    """The provider's own count, or else what is left of the configured limits."""
    told = [(limit["bucket"], limit["remaining"], limit.get("limit")) for limit in account.get("limits", ())]
    told = told or [(name, left, None) for name, left in account.get("left", {}).items()]
    return ", ".join(f"{bucket} {left}" + ("" if limit is None else f"/{limit}") for bucket, left, limit in told)


def format_duration(seconds: float) -> str:
    """In its two largest units: `42 s`, `1 h 5 min`."""
    left, parts = max(1, round(seconds)), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _align(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; those that are empty in every row but the first are left out."""
    cells = [[escape(cell) for cell in row] for row in rows]
    shown = [at for at in range(len(_HEAD)) if any(row[at] for row in cells[1:])]
    widths = {at: max(len(row[at]) for row in cells) for at in shown}
    return "\n".join("  ".join(row[at].ljust(widths[at]) for at in shown).rstrip() for row in cells)
