"""Providers and their accounts, beside what the dialects say of themselves."""

from proxy.config.model.providers import BEARER_DIALECTS, DIALECTS, DIRECT, QUIRK_DIALECTS, Account, Provider
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


def test_an_account_is_unlimited_and_serves_all_models_unless_told() -> None:
    account = Account(key=Secret("x"))
    assert (account.weight, account.max_streams, account.rpm, account.tpm, account.models) == (1, 0, 0, 0, ())


def test_the_way_out_is_named_by_host_and_port() -> None:
    assert Account(key=Secret("x")).egress == DIRECT
    account = Account(key=Secret("x"), proxy=Secret("http://user:canary@10.0.0.1:3128"))
    assert account.egress == "10.0.0.1:3128"
    assert "canary" not in repr(account)


def test_a_session_stays_with_its_account_and_the_rest_goes_round() -> None:
    provider = Provider(dialect="gemini", base_url="http://a")
    assert (provider.strategy, provider.affinity) == ("round-robin", "session")
