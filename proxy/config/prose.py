"""The parts of the configuration manual that no table holds: the example, and how files and strings are read.

Plain texts, put around the tables by `describe.py`. What they say about names and orders is checked by the tests of
the loader.
"""

from typing import Final

EXAMPLE: Final = """\
[server]
listen = ["127.0.0.1:8088"]       # host:port, [v6]:port or unix:/path; a socket passed by systemd goes first
admin = "127.0.0.1:8089"          # health checks; never public by default
# cors = ["https://app.example"]  # web pages that may call the model routes
# trusted_proxies = ["127.0.0.1"] # whose X-Forwarded-For is believed; "unix" for whatever comes by a Unix socket
# tls = { certificate = "cert.pem", key = "key.pem" }   # read again on SIGHUP; or "${cred:NAME}"

[limits]                          # each has a default and a reason, see below
max_body = "32MiB"
connect = "10s"
first_byte = "60s"
idle = "300s"
write_stall = "60s"
drain = "30s"
connections = 10000               # idle ones give way, then 503
# connections_per_address = 200   # where callers come from anywhere; trusted_proxies are not counted
# memory = "1GiB"                 # above it new requests get 503, and streams go on
ttft = "60s"                      # until a stream's first text, thought or tool call; then another account is asked

# [state]                         # what outlives a restart: who is left alone until when, and the ledger
# path = "/var/lib/penstock/penstock.db"

[clients.dev]                     # who may call; without any client only loopback may be listened on
key = "${PENSTOCK_DEV_KEY:-dev}"  # or key_sha256 = "..."; ${VAR}, ${VAR:-x}, ${file:PATH}, ${cred:NAME} in any string
# max_streams = 20                # 429 above it; also rpm, tpm, tokens_per_day, cost_per_day
# models = ["gpt-*", "fast"]      # others are not found; mounts are refused then

[providers.openai]
dialect = "openai-chat"           # "raw" for an API that is none of the known ones
base_url = "https://api.openai.com/v1"
[providers.openai.accounts.main]
key = "${OPENAI_API_KEY:-none}"

[providers.claude]
dialect = "anthropic"
base_url = "https://api.anthropic.com"
accounts.main.key = "${ANTHROPIC_API_KEY:-none}"

[providers.azure]
dialect = "openai-responses"
base_url = "https://RESOURCE.openai.azure.com/openai/v1"
query = "api-version=preview"     # part of every request on the model routes
accounts.main.key = "${AZURE_OPENAI_API_KEY:-none}"

[providers.local]
dialect = "openai-chat"
base_url = "http://127.0.0.1:8000/v1"
# quirks = "vllm"                 # told by the host unless given
think_tags = "tags"               # thoughts stand in the text, between <think> and </think>
# private_networks = ["10.0.0.0/24"]  # for a base_url with a name: where else than the public internet it may lead

[providers.zai]
dialect = "glm"
base_url = "https://api.z.ai/api/paas/v4"
clear_thinking = false            # thoughts of earlier turns are sent back
accounts.main.key = "${ZAI_API_KEY:-none}"

[providers.weather]
dialect = "raw"
base_url = "http://127.0.0.1:9100/events"
headers = { "X-Api-Key" = "abc" } # added upstream; replaces what the client sent
# ca_file = "/etc/ssl/private-ca.pem"

[models."gpt-5"]                  # what clients ask for, in whatever dialect they speak
targets = ["openai/gpt-5"]        # provider/model; several are tried in this order
[models."claude-*"]               # a pattern; behind the slash, * keeps the name that was asked for
targets = ["claude/*"]
[models."fast"]
targets = ["claude/claude-haiku-4-5"]
drop_params = ["logit_bias"]      # what a target cannot take and nobody misses; refused by name otherwise

[mounts."/openai"]                # /openai/chat/completions -> https://api.openai.com/v1/chat/completions
provider = "openai"
[mounts."/weather"]
provider = "weather"
auth = "none"                     # "key" (default) | "none" (open) | "pass" (the caller's own credential goes upstream)
heartbeat = "15s"                 # off on mounts unless given

[prices."openai/gpt-5"]           # per million tokens, by provider/model; for the ledger and cost_per_day
input = 1.25
cached_input = 0.125
output = 10.0

# [ledger]                        # a row for every request, in the file of [state]
# retain = "90d"

# [console]
# token = "${PENSTOCK_CONSOLE_TOKEN:-}"  # needed when admin is not loopback
# content = true                  # the text of streams may be seen

# [chat]
# enabled = true                  # GET /chat is a page to talk to the models with

# [record]
# when = ["failed"]               # or all, sample:0.01, client:NAME, model:PATTERN
"""

OPENING: Final = """\
# Configuration

This page is generated from `proxy/config/model/` by `python -m proxy.config.describe > docs/configuration.md`.

Penstock reads TOML. `penstock check-config FILE` lists everything that is wrong with a configuration at once, each
with its file and key; `--json` prints what is in effect, with secrets as `***`; `--schema` prints a JSON schema for
editors. An unknown key is an error, so a slip never becomes a default.
"""

VALUES: Final = """\
## Values

A **duration** is a number with `ms`, `s`, `m`, `h` or `d` (`"250ms"`, `"1.5h"`), or a bare number of seconds. Where
the table says so, `0` or `"off"` switches it off. A **size** is a whole number with `B`, `kB`, `MB`, `GB`, `TB`
(powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024), or a bare number of bytes. Whole numbers, `true`
and `false` may stand in quotes, because a placeholder can only give text. A **secret** is never shown: not in
messages, not in the log, not by `check-config`.

The names of clients, providers and accounts have up to 64 letters, digits and `.` `_` `-`. A mount's path starts
with `/`, does not end with one, and has no query, percent-encoding or dot segment. Its first segment is none of
{reserved}: those belong to the proxy itself.

## Which model answers

The name that a caller asks for is looked up in this order:

1. an entry of `[models]` with exactly this name;
2. the longest entry with a `*` in it that fits, `*` standing for any text; of two as long, the first;
3. `provider/model`: everything behind the first slash is the model's name at that provider. No entry is needed.

## Several accounts, several targets

A provider may have several accounts, and a model several targets. When one account refuses, another is asked; when no
account of a target may be asked, or its provider is in trouble, the next target is. Nothing of it is seen by the
caller before the answer begins.

```toml
[providers.openai]
dialect = "openai-chat"
base_url = "https://api.openai.com/v1"
strategy = "least-busy"
accounts.a = { key = "${OPENAI_KEY_A:-x}", weight = 2, max_streams = 50, rpm = 500, tpm = 200000 }
accounts.b = { key = "${OPENAI_KEY_B:-x}", proxy = "http://10.0.0.1:3128", models = ["gpt-5*"] }

[providers.openrouter]
dialect = "openrouter"
base_url = "https://openrouter.ai/api/v1"
accounts.main.key = "${OPENROUTER_API_KEY:-x}"

[providers.claude]
dialect = "anthropic"
base_url = "https://api.anthropic.com"
accounts.main.key = "${CLAUDE_KEY:-x}"

[models."gpt-5"]
targets = ["openai/gpt-5", "openrouter/openai/gpt-5", "claude/claude-sonnet-4-6"]
attempts = 4
rescue = "restart"
hedge_after = "p95"
on_disconnect = "drain"
overrides."openai/gpt-5" = { weight = 3 }
overrides."openrouter/openai/gpt-5" = { tier = 1, ttft = "30s" }
overrides."claude/claude-sonnet-4-6" = { drop_params = ["logit_bias", "seed"] }
```

Three of four requests for `gpt-5` go to OpenAI first and one to OpenRouter, since both are in tier 1; Claude, third in
the list and therefore in tier 3, answers when neither can. Times and counts that a model does not give are those of
`[limits]`, and those that an override does not give are the model's.

Of `rpm` and `tpm` a minute's worth may be used at once; then they refill second by second.

## How much a client may use

```toml
[clients.alice]
key = "${ALICE_KEY:-x}"
max_streams = 20
rpm = 120
tpm = 200000
tokens_per_day = 5000000
cost_per_day = 25.0
models = ["gpt-*"]

[providers.openai]
dialect = "openai-chat"
base_url = "https://api.openai.com/v1"
accounts.main.key = "${OPENAI_API_KEY:-x}"

[models."gpt-*"]
targets = ["openai/*"]

[prices."openai/gpt-5"]
input = 1.25
cached_input = 0.125
output = 10.0
```

A request above a limit is answered with 429 in the form of its dialect, and `retry-after` says when to come back.
`max_streams` counts what is in flight, and asks to come back in a second, since nobody knows when a stream ends. Of
`rpm` and `tpm` a minute's worth may be used at once; then they refill second by second. Lists of models do not count.

What a request's prompt will use is estimated before it is let in, and put right by what it has used when it is over: a
long answer makes the next requests wait. Of one whose client leaves before the answer begins the estimate stays. The
limits of a day let a request in as long as something is left of them, and what is in flight counts with the estimate of
its prompt, so that they are overrun by no more than the answers that are under way. The day begins at midnight UTC;
after a start, what the ledger knows of it counts. A reload keeps all counts.

Processes that keep their state in one file (`[state] path`) share these limits and those of accounts: what each lets in
counts in all of them, after a second at most, also in one that has just started; limits are overrun by what the others
let in within that second. Requests in flight count as long as their process is heard of, five seconds after it has
died. While the file cannot be used each process goes by its own count, and says so in a warning.

A model that is not in `models` is not found and not listed for this client. A mount that asks for a key refuses a
client with `models`, since nobody reads the model there. A request of such a client names one model: `model` twice, or
OpenRouter's `models` to go on with, is a 400. On a mount `max_streams` and `rpm` hold too; tokens and cost are not
counted there, since nobody reads what is answered: `check-config` says so where it matters.

## Bearer tokens

Instead of a `key` an account may have a `token_command`, which prints a token, or a `token_file`, which holds one. A
command runs without a shell, with nothing on its standard input, for half a minute at most; its standard error is not
kept. What it prints is used for `token_lifetime`. A new token is fetched before the old one expires, while requests go
on with the old one, and at once when the provider refuses it.

```toml
[providers.vertex]                # Google Cloud's endpoint for OpenAI clients
dialect = "openai-chat"
base_url = "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/endpoints/openapi"
accounts.main.token_command = ["gcloud", "auth", "print-access-token"]

[mounts."/vertex"]
provider = "vertex"
```

The dialect `code-assist` is off unless a provider is configured with it, and `check-config` then states a caution:
Google's terms forbid programs of others to use the credentials of Antigravity or Gemini CLI. Penstock brings no client
ids, takes no tokens from other programs and does not pass for one; the token comes from you.

## Placeholders

They are replaced in every string value, also in arrays, after the TOML was read; keys are left alone.

| placeholder | gives |
|---|---|
| `${VAR}` | the environment variable; an error when it is not set |
| `${VAR:-x}` | the same, or `x` when it is not set or empty |
| `${file:PATH}` | the contents of a file, without one line end at its close |
| `${cred:NAME}` | what systemd keeps as credential `NAME` in `$CREDENTIALS_DIRECTORY`; for a path, its path |
| `$$` | a dollar |

A lone `$` is an error. What a placeholder gives is not looked at again, and must not hold a line end.

## Several files

`--config` may be given several times. After these files come those of `conf.d/*.toml` beside the first, in the
order of their names. Tables merge; a later scalar or array replaces an earlier one. Without `--config` the file is
`$PENSTOCK_CONFIG`, else `./penstock.toml`, else `/etc/penstock/config.toml`; when there is none of them, the
configuration is made from the environment (see Zero configuration).

These variables override the files when they are set and not empty:

| variable | key |
|---|---|
{overrides}

`PENSTOCK_LISTEN` holds addresses with commas between them.

## What must hold together

- Without any client, every address of `server.listen` is loopback or a Unix socket.
- A mount's `provider` exists, and so does that of every target of a model; a target's is not `raw`.
- What a model's `overrides` name is one of its `targets`, spelled the same.
- `token_command` and `token_file` belong to dialects with a bearer token, `quirks` and `query` to `openai-chat`
  and `openai-responses`, `think_tags` to `openai-chat`, `clear_thinking` to `glm`, `project` to `code-assist`.
- `*` stands alone in `server.cors`.
- `auth = "none"` over a provider that has accounts needs `open_to_all = true` when a listener is not loopback.
- A rule `client:NAME` in `record.when` names a client.
- No two clients have the same key, no two listeners the same address.
"""

ZERO: Final = """\
## Zero configuration

Without a file, each of these variables that is set makes a provider and a mount of its name; its models are asked for
as `provider/model`. The listener is loopback and nobody has to show a key.

| variable | mount | dialect | base URL |
|---|---|---|---|
{known}
"""
