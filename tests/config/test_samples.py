"""Broken files: every fault with its place, in the order of the model, and no secret in any."""

from pathlib import Path

import pytest

from proxy.config.cautions import find_cautions
from proxy.config.load import load
from proxy.config.lookup import ModelTable, Plan
from proxy.config.model import Ledger, Price, Recording, Tls
from proxy.errors import ConfigError
from tests.helpers.certificates import make_pair

SAMPLES = Path(__file__).parent / "samples"
ENVIRON = {"LINES": "canary\nsecond"}

BROKEN = {
    "types.toml": [
        "server.listen",
        "server.admin",
        "limits.max_body",
        "limits.connect",
        "limits.idle",
        "limits.drain",
        "limits.streams",
        "clients.dev",
        "providers.a.dialect",
        "providers.a.base_url",
        "providers.a.headers",
        "providers.a.accounts.main.key",
        'mounts."/a"',
        "log",
    ],
    "values.toml": [
        "server.listen[0]",
        "server.listen[2]",
        "server.listen[3]",
        "server.admin",
        "server.via",
        "limits.max_body",
        "limits.connect",
        "limits.first_byte",
        "limits.idle",
        "limits.drain",
        "limits.body_rate",
        "limits.streams",
        "limits.response_fields",
        "clients.short.key_sha256",
        "providers.a.dialect",
        "providers.a.base_url",
        "providers.a.ca_file",
        'mounts."/a".auth',
        'mounts."/a".heartbeat',
        'mounts."/a".open_to_all',
        "log.format",
        "log.level",
    ],
    "unknown.toml": [
        "sever",
        "server.listn",
        "limits.max_bodies",
        "limits.zzz",
        "clients.dev.kye",
        "providers.a.baseurl",
        "providers.a.base_url",
        "providers.a.accounts.main.wieght",
        'mounts."/a"."strip prefix"',
    ],
    "names.toml": [
        'clients."big boss"',
        "clients.none",
        "clients.both",
        "providers.bare.dialect",
        "providers.bare.base_url",
        "providers.bare.headers.Host",
        'providers.bare.headers."Authorization…"',
        'providers.bare.headers."Authorization…"',
        "providers.bare.headers.X-Line",
        'providers.bare.accounts."ü"',
        'providers.bare.accounts."ü".key',
        'providers."a/b"',
        'mounts."/"',
        'mounts."/v1/chat"',
        'mounts."/a/../b"',
        'mounts."/a%20b"',
        'mounts."/slash/"',
        'mounts."/empty".provider',
    ],
    "models.toml": [
        "server.cors[0]",
        "server.cors[2]",
        "providers.weather.quirks",
        "providers.claude.accounts.none",
        "providers.claude.accounts.both",
        "providers.claude.accounts.file.token_file",
        "providers.claude.accounts.file.token_lifetime",
        "providers.claude.accounts.command.token_command",
        "providers.claude.query",
        "providers.claude.think_tags",
        "providers.claude.clear_thinking",
        "providers.claude.project",
        'models."a b"',
        "models.fast.targets[1]",
        "models.fast.targets[4]",
        "models.fast.targets[5]",
        "models.fast.drop_params[0]",
        "models.none.targets",
        "models.empty.targets",
        'capabilities."gpt-*".vision',
        'capabilities."gpt-*".family',
        'capabilities."gpt-*".thinking',
        'capabilities."gpt-*".efforts[1]',
        'capabilities."gpt-*".off',
        'capabilities."gpt-*".output',
        "capabilities.short.budget",
        "server.cors",
        "providers.claude.quirks",
        "providers.claude.accounts.both.token_command",
        "providers.claude.accounts.token.token_command",
        "models.fast.targets[2]",
        "models.fast.targets[3]",
        'capabilities."gpt-*".budget',
    ],
    "failover.toml": [
        "limits.ttft",
        "limits.hold_status",
        "limits.attempts",
        "limits.retry_budget",
        "limits.cooldown_max",
        "state.size",
        "state.path",
        "providers.p.accounts.a.weight",
        "providers.p.accounts.a.max_streams",
        "providers.p.accounts.a.rpm",
        "providers.p.accounts.a.tpm",
        "providers.p.accounts.a.models[0]",
        "providers.p.accounts.b.proxy",
        "providers.p.accounts.b.models",
        "providers.p.accounts.c.proxy",
        "providers.p.strategy",
        "providers.p.affinity",
        "models.m.attempts",
        "models.m.progress",
        "models.m.rescue",
        "models.m.hedge_after",
        "models.m.hedge_budget",
        "models.m.on_disconnect",
        "models.m.drain_for",
        'models.m.overrides."p/a".rescue',
        'models.m.overrides."p/a".tier',
        'models.m.overrides."p/a".weight',
        'models.m.overrides."p/a".ttft',
        'models.m.overrides."p/a".drop_params',
        "models.m.overrides.p",
        "models.n.targets[0]",
        "capabilities.x.context",
        'models.m.overrides."p/bb"',
    ],
    "seeing.toml": [
        "clients.a.tokens_per_dya",
        "clients.a.max_streams",
        "clients.a.rpm",
        "clients.a.tpm",
        "clients.a.tokens_per_day",
        "clients.a.cost_per_day",
        "clients.a.models[0]",
        "ledger.path",
        "ledger.retain",
        "prices.gpt-5",
        'prices."a/b c"',
        'prices."a/b c".input',
        'prices."a/b c".output',
        'prices."a/b c".reasoning',
        'prices."a/b".cached',
        'prices."a/b".input',
        "console.token",
        "console.content",
        "chat.enabled",
        "record.when[0]",
        "record.when[1]",
        "record.when[2]",
        "record.when[3]",
        "record.when[4]",
        "record.when[8]",
        "record.directory",
        "record.max_bytes",
        "record.bodies",
        "record.ring",
        "record.when[5]",
    ],
    "service.toml": [
        "server.tls.keys",
        "server.tls.certificate",
        "server.tls.key",
        "server.trusted_proxies[1]",
        "server.trusted_proxies[2]",
        "server.trusted_proxies[3]",
        "server.trusted_proxies[4]",
        "limits.connections",
        "limits.connections_per_address",
        "limits.memory",
        "providers.a.private_networks[0]",
        "providers.a.private_networks[1]",
        "providers.b.ca_file",
    ],
    "together.toml": [
        "server.listen[0]",
        "server.listen[2]",
        "server.admin",
        "providers.openai.headers.x-team",
        'mounts."/open".auth',
        'mounts."/lost".provider',
    ],
    "placeholders.toml": [
        "server.listen[0]",
        "limits.connect",
        "clients.a.key",
        "clients.a.key",
        "clients.b.key",
        "clients.c.key",
        "clients.d.key",
        "clients.e.key",
        "clients.f.key",
        "clients.g.key",
    ],
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_gives_every_fault_with_its_place(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([SAMPLES / name], ENVIRON)
    faults = caught.value.faults
    assert [fault.place for fault in faults] == BROKEN[name]
    assert {fault.file for fault in faults} == {str(SAMPLES / name)}
    assert all(fault.message for fault in faults)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_shows_no_secret(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([SAMPLES / name], ENVIRON)
    assert "canary" not in f"{caught.value} {caught.value!r}"


def test_accounts_and_routes_are_taken_as_they_stand() -> None:
    config = load([Path(__file__).parent / "failover.toml"], {})
    first, second = config.providers["openai"].accounts.values()
    assert (first.weight, first.max_streams, first.rpm, first.tpm, first.egress) == (2, 50, 500, 200_000, "direct")
    assert (second.weight, second.max_streams, second.rpm, second.tpm) == (1, 0, 0, 0)
    assert (second.egress, second.proxy.reveal()) == ("10.0.0.1:3128", "http://10.0.0.1:3128")
    assert (config.providers["openai"].strategy, config.providers["openai"].affinity) == ("least-busy", "session")
    found = ModelTable(config).find("gpt-5")
    assert found is not None
    assert [(goal.provider, goal.model) for goal in found.goals] == [
        ("openai", "gpt-5"),
        ("openrouter", "openai/gpt-5"),
    ]
    assert found.plan == Plan(4, 180.0, "restart", None, True, 0.05, "drain", 20.0)
    assert list(find_cautions(config)) == []


def test_limits_and_what_can_be_seen_are_taken_as_they_stand() -> None:
    file = Path(__file__).parent / "seeing.toml"
    config = load([file], {"STATE_DIRECTORY": "/var/lib/p", "PENSTOCK_CONSOLE_TOKEN": "canary-of-sixteen"})
    alice = config.clients["alice"]
    assert (alice.max_streams, alice.rpm, alice.tpm) == (20, 120, 200_000)
    assert (alice.tokens_per_day, alice.cost_per_day, alice.models) == (5_000_000, 25.0, ("gpt-*", "claude-*"))
    assert config.ledger == Ledger(path="/var/lib/p/penstock.db", retain=90 * 86400.0)
    assert config.prices == {"openai/gpt-5": Price(input=1.25, cached_input=0.125, output=10.0)}
    assert (config.console.token.reveal(), config.console.content) == ("canary-of-sixteen", False)
    assert not config.chat.enabled
    assert config.record == Recording(when=("failed",), directory="/var/lib/p/cassettes", max_bytes=1 << 30, ring=20)
    assert [place for place, _ in find_cautions(config)] == [("prices", "openai/gpt-5")]
    assert load([file], {}).console.token.reveal() == ""


def test_a_service_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_pair(tmp_path)
    config = load([Path(__file__).parent / "service.toml"], {})
    assert config.server.tls == Tls(certificate="cert.pem", key="key.pem")
    assert config.server.trusted_proxies == ("127.0.0.1/32",)
    limits = config.limits
    assert (limits.drain, limits.head_timeout, limits.memory) == (3300.0, 10.0, 1 << 30)
    assert (limits.connections, limits.connections_per_address) == (10_000, 200)


def test_every_broken_sample_is_expected_here() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(BROKEN)
