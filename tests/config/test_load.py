"""Files: found, read, merged, overridden by the environment; broken ones give every fault with its place."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.load import MAX_FILE, build_config, find_default_paths, load
from proxy.errors import ConfigError, Fault

EXAMPLE = Path(__file__).parents[2] / "docs" / "penstock.example.toml"


def load_faults(*paths: Path, environ: dict[str, str] | None = None) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        load(paths, environ or {})
    return caught.value.faults


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_example_is_accepted_as_it_stands() -> None:
    config = load([EXAMPLE], {})
    assert config.server.listen == ("127.0.0.1:8088",)
    assert config.limits.max_body == 32 * 1024 * 1024
    assert config.limits.idle == 300.0
    assert list(config.clients) == ["dev"]
    assert config.providers["openai"].accounts["main"].key.reveal() == "none"
    assert config.providers["weather"].headers["X-Api-Key"].reveal() == "abc"
    assert (config.mounts["/openai"].auth, config.mounts["/openai"].heartbeat) == ("key", 0.0)
    assert (config.mounts["/weather"].auth, config.mounts["/weather"].heartbeat) == ("none", 15.0)


def test_example_takes_its_keys_from_the_environment() -> None:
    config = load([EXAMPLE], {"OPENAI_API_KEY": "sk-1", "PENSTOCK_DEV_KEY": "other"})
    assert config.providers["openai"].accounts["main"].key.reveal() == "sk-1"
    assert config.clients["dev"] != load([EXAMPLE], {}).clients["dev"]


# A second file beside the example: what a model's targets name may stand in the other.
MODELS = """\
[providers.claude]
dialect = "anthropic"
base_url = "https://api.anthropic.com"
accounts.main.key = "${ANTHROPIC_API_KEY:-none}"

[models."gpt-5"]                        # what clients ask for
targets = ["openai/gpt-5"]              # provider/model; several = ordered fallbacks
[models."claude-*"]                     # a pattern keeps the asked name
targets = ["claude/*"]
[models."fast"]
targets = ["claude/claude-haiku-4-5"]
drop_params = ["logit_bias"]            # what the target cannot take and nobody misses; refused by name otherwise
"""


def test_models_stand_in_a_second_file(tmp_path: Path) -> None:
    first = write(tmp_path / "a.toml", EXAMPLE.read_text(encoding="utf-8"))
    second = write(tmp_path / "b.toml", MODELS)
    config = load([first, second], {})
    assert {name: model.targets for name, model in config.models.items()} == {
        "gpt-5": ("openai/gpt-5",),
        "claude-*": ("claude/*",),
        "fast": ("claude/claude-haiku-4-5",),
    }
    assert config.models["fast"].drop_params == ("logit_bias",)
    assert config.providers["claude"].accounts["main"].key.reveal() == "none"
    [fault] = load_faults(second)
    assert (fault.place, fault.message) == ("models.gpt-5.targets[0]", "there is no provider openai")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = 1\nb = = 2\n", 2, 5),
        ("[server]\n[server]\n", 2, 8),
        ("# é\nx = [1,\n", 3, 1),
        ("x = 'é", 1, 7),
        ("x = 1\nx = 2", 2, 6),
    ],
)
def test_syntax_error_is_reported_alone_with_its_position(tmp_path: Path, text: str, line: int, column: int) -> None:
    broken = write(tmp_path / "a.toml", text)
    other = write(tmp_path / "b.toml", "unknown = 1")
    [fault] = load_faults(broken, other)
    assert (fault.file, fault.place) == (str(broken), "")
    assert (fault.line, fault.column) == (line, column)
    assert str(fault).startswith(f"{broken}: line {line}, column {column}: not TOML: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 'a'\ny = '\xff'", "not UTF-8 text"),
        (b"x = " + b"9" * 5000, "not TOML: a number that is too long"),
        (b"x = " + b"[" * 100_000, "not TOML: nested too deeply"),
        (b"#" * (MAX_FILE + 1), f"longer than {MAX_FILE} bytes: not a configuration file"),
    ],
)
def test_file_that_cannot_be_toml_is_a_fault(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    [fault] = load_faults(tmp_path / "a.toml")
    assert fault.message == message


def test_tables_nested_without_end_are_a_fault(tmp_path: Path) -> None:
    [fault] = load_faults(write(tmp_path / "a.toml", ".".join(["a"] * 5000) + " = 1"))
    assert fault.place == "a"


def test_every_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    faults = load_faults(tmp_path / "none.toml", tmp_path, Path("a\0b"))
    assert [fault.message for fault in faults] == [
        "cannot be read: No such file or directory",
        "cannot be read: Is a directory",
        "cannot be read: not a path",
    ]


def test_later_files_and_drop_ins_are_laid_over_the_first(tmp_path: Path) -> None:
    first = write(tmp_path / "a.toml", '[limits]\nidle = "1s"\ndrain = "1s"\nconnect = "1s"\nhead_timeout = "1s"')
    second = write(tmp_path / "more" / "b.toml", '[limits]\ndrain = "2s"\nconnect = "2s"\nhead_timeout = "2s"')
    write(tmp_path / "conf.d" / "20.toml", '[limits]\nhead_timeout = "4s"')
    write(tmp_path / "conf.d" / "10.toml", '[limits]\nconnect = "3s"\nhead_timeout = "3s"')
    write(tmp_path / "conf.d" / ".30.toml", '[limits]\nhead_timeout = "5s"')
    write(tmp_path / "conf.d" / "40.toml.bak", '[limits]\nhead_timeout = "5s"')
    (tmp_path / "more" / "conf.d").mkdir()
    write(tmp_path / "more" / "conf.d" / "50.toml", '[limits]\nhead_timeout = "5s"')
    limits = load([first, second], {}).limits
    assert (limits.idle, limits.drain, limits.connect, limits.head_timeout) == (1.0, 2.0, 3.0, 4.0)


def test_arrays_are_replaced_and_tables_merged(tmp_path: Path) -> None:
    first = write(tmp_path / "a.toml", '[server]\nlisten = ["127.0.0.1:1"]\n[clients.a]\nkey = "a"')
    write(tmp_path / "conf.d" / "b.toml", '[server]\nlisten = ["127.0.0.1:2"]\n[clients.b]\nkey = "b"')
    config = load([first], {})
    assert config.server.listen == ("127.0.0.1:2",)
    assert list(config.clients) == ["a", "b"]


def test_fault_in_a_drop_in_names_the_drop_in(tmp_path: Path) -> None:
    first = write(tmp_path / "a.toml", '[limits]\nidle = "1s"')
    second = write(tmp_path / "conf.d" / "b.toml", '[limits]\nidle = "x"')
    assert [(fault.file, fault.place) for fault in load_faults(first)] == [(str(second), "limits.idle")]


def test_drop_ins_that_are_a_file_are_none(tmp_path: Path) -> None:
    write(tmp_path / "conf.d", "not a directory")
    load([write(tmp_path / "a.toml", "")], {})


def test_environment_overrides_files(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.toml", '[server]\nlisten = ["127.0.0.1:1"]\nadmin = "127.0.0.1:2"\n[log]\nlevel = "error"'
    )
    environ = {"PENSTOCK_LISTEN": "127.0.0.1:3, [::1]:3", "PENSTOCK_ADMIN": "off", "PENSTOCK_LOG_LEVEL": "debug"}
    config = load([path], environ)
    assert config.server.listen == ("127.0.0.1:3", "[::1]:3")
    assert (config.server.admin, config.log.level) == ("", "debug")
    empty = load([path], dict.fromkeys(environ, ""))
    assert (empty.server.listen, empty.server.admin) == (("127.0.0.1:1",), "127.0.0.1:2")
    assert empty.log.level == "error"


def test_fault_in_an_override_names_the_variable() -> None:
    environ = {"PENSTOCK_LISTEN": "127.0.0.1:1,$HOME", "PENSTOCK_ADMIN": "x", "PENSTOCK_LOG_LEVEL": "loud"}
    assert [(fault.file, fault.place) for fault in load_faults(environ=environ)] == [
        ("PENSTOCK_LISTEN", "server.listen[1]"),
        ("PENSTOCK_ADMIN", "server.admin"),
        ("PENSTOCK_LOG_LEVEL", "log.level"),
    ]


def test_default_path_is_the_named_one_then_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("proxy.config.load.DEFAULT_PATHS", ("penstock.toml", str(tmp_path / "etc.toml")))
    assert find_default_paths() == ()
    write(tmp_path / "etc.toml", "")
    assert find_default_paths() == (tmp_path / "etc.toml",)
    write(tmp_path / "penstock.toml", "")
    assert find_default_paths() == (Path("penstock.toml"),)
    assert find_default_paths({"PENSTOCK_CONFIG": "x.toml"}) == (Path("x.toml"),)


def test_default_path_that_may_not_be_looked_at_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = "x" * 5000  # the system refuses to look, for another reason than access
    monkeypatch.setattr("proxy.config.load.DEFAULT_PATHS", (unreachable,))
    paths = find_default_paths()
    assert paths == (Path(unreachable),)
    assert load_faults(*paths)[-1].message == "cannot be read: File name too long"


@given(st.text(alphabet=st.sampled_from("[]{}=\"\n.#,'\\abx1-:é\t"), max_size=40))
def test_any_text_is_a_configuration_or_a_config_error(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    if data:
        with pytest.raises(ConfigError):
            build_config([("file", data)], {})
    else:
        build_config([("file", data)], {})
