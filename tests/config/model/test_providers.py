"""Providers and their accounts, beside what the dialects say of themselves."""

from proxy.config.model.providers import BEARER_DIALECTS, DIALECTS, QUIRK_DIALECTS, Account
from proxy.config.secret import Secret
from proxy.dialects import registry


def test_every_dialect_of_a_provider_can_be_configured() -> None:
    assert set(DIALECTS) == {"raw", *registry.PROVIDERS}
    assert set(QUIRK_DIALECTS) < set(DIALECTS)


def test_tokens_are_for_the_dialects_that_show_a_bearer_token() -> None:
    shown = {name: registry.DIALECTS[name].build_credential("x") for name in DIALECTS}
    assert set(BEARER_DIALECTS) == {name for name in shown if shown[name] == {"authorization": "Bearer x"}}


def test_a_token_is_used_for_less_than_an_hour() -> None:
    account = Account(token_command=(Secret("print-token"),))
    assert account.token_lifetime == 50 * 60
    assert account.key == Secret("")
