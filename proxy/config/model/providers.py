"""The APIs behind the proxy: what each speaks, where it is, and the credentials that it may be used with."""

from typing import Annotated, Final

from msgspec import Struct, field

from proxy.config import kinds
from proxy.config.kind import choice
from proxy.config.marks import Leaf, Named
from proxy.config.quirks import QUIRKS
from proxy.config.secret import Secret
from proxy.config.syntax import check_header_name, check_name, name_proxy

DIALECTS: Final = (
    "raw",
    "openai-chat",
    "openai-responses",
    "anthropic",
    "gemini",
    "glm",
    "openrouter",
    "code-assist",
)

BEARER_DIALECTS: Final = ("raw", "openai-chat", "openai-responses", "glm", "openrouter", "code-assist")
"""Those whose credential is `Authorization: Bearer`, so that it may be a token that is fetched."""

STRATEGIES: Final = ("round-robin", "least-busy", "fill-first")

DIRECT: Final = "direct"
"""The name of the way out without a proxy."""

QUIRK_DIALECTS: Final = ("openai-chat", "openai-responses")
"""Those that many vendors speak, each in its own way."""


class Account(Struct, frozen=True, kw_only=True):
    key: Annotated[
        Secret, Leaf(kinds.KEY, "The key that the provider gave. Sent the way the dialect wants it.", rival=True)
    ] = Secret("")
    token_command: Annotated[
        tuple[Secret, ...],
        Leaf(
            kinds.ARGUMENT,
            "A program and its arguments, run without a shell, that prints a bearer token. Run again before "
            "`token_lifetime` is over, and when the provider refuses the token. For the dialects "
            f"{', '.join(f'`{name}`' for name in BEARER_DIALECTS)}.",
            many=True,
            rival=True,
        ),
    ] = ()
    token_file: Annotated[
        str,
        Leaf(
            kinds.FUTURE_FILE,
            "A file that holds a bearer token, and that another program renews: it is read again when it changes. For "
            "the same dialects.",
            rival=True,
        ),
    ] = ""
    token_lifetime: Annotated[
        float,
        Leaf(
            kinds.DURATION,
            "How long what `token_command` printed is used at most. Ten minutes less than the hour that OAuth access "
            "tokens usually live, Google's among them: a command may print one that is some minutes old.",
        ),
    ] = 3000.0
    weight: Annotated[
        int, Leaf(kinds.COUNT, "Its part of the requests beside the other accounts: 2 gets twice as many as 1.")
    ] = 1
    max_streams: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO, "Requests in flight with it at most; 0 for any number. 0, as few providers limit it."
        ),
    ] = 0
    rpm: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO,
            "Requests a minute at most; 0 for any number. 0, because what a provider says of its limits is heeded "
            "anyway.",
        ),
    ] = 0
    tpm: Annotated[
        int, Leaf(kinds.COUNT_OR_ZERO, "Tokens a minute at most, those of prompts and answers; 0 as with `rpm`.")
    ] = 0
    proxy: Annotated[
        Secret,
        Leaf(
            kinds.PROXY,
            "The HTTP proxy that its requests go through, as `http://` or `https://` with host and port, perhaps with "
            "`user:password@`. Logs name it by host and port. Empty for the direct way.",
        ),
    ] = Secret("")
    models: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.PATTERN,
            "The provider's models that it serves; `*` stands for any text. Empty for all of them.",
            many=True,
            least=0,
        ),
    ] = ()

    @property
    def egress(self) -> str:
        """The way out that its requests take, by a name that may be seen."""
        return name_proxy(self.proxy) or DIRECT


class Provider(Struct, frozen=True, kw_only=True):
    dialect: Annotated[
        str,
        Leaf(
            choice(*DIALECTS),
            "The format that the provider speaks; `raw` for an API that is none of the known ones.",
        ),
    ]
    base_url: Annotated[
        str,
        Leaf(
            kinds.BASE_URL,
            "What the vendor's own SDK takes: with the version for the OpenAI family, without it for Anthropic and "
            "Gemini.",
        ),
    ]
    headers: Annotated[
        dict[str, Secret],
        Named(
            check_header_name,
            "NAME",
            "Header fields that are added upstream; each replaces what the caller sent. Treated as secrets.",
            kind=kinds.HEADER_VALUE,
        ),
    ] = field(default_factory=dict)
    ca_file: Annotated[
        str,
        Leaf(
            kinds.FILE_NAME,
            "Certificates to trust instead of the system's, as PEM. Empty, because public providers need none.",
        ),
    ] = ""
    private_networks: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.NETWORK,
            "Networks in which its host may be found beside the public internet, such as `10.20.0.0/16`. Empty: a name "
            "that leads to a private, loopback or link-local address is not connected to, since whoever answers for "
            "names could lead keys there. An address written in `base_url`, or `localhost`, is meant as it stands.",
            many=True,
            least=0,
        ),
    ] = ()
    accounts: Annotated[
        dict[str, Account], Named(check_name, "ACCOUNT", "The keys that the provider may be used with.")
    ] = field(default_factory=dict)
    strategy: Annotated[
        str,
        Leaf(
            choice(*STRATEGIES),
            "Which account serves a request that belongs to no session: each in turn by its `weight`, the one with the "
            "fewest requests in flight for its weight, or the first of the list that may. In turn, because nothing "
            "has to be known of the accounts for it.",
        ),
    ] = "round-robin"
    affinity: Annotated[
        str,
        Leaf(
            choice("off", "session"),
            "Whether the requests of one conversation go to one account as long as it may serve them. `session`, "
            "because providers keep the caches of prompts by account, and what is read from one is cheaper and "
            "comes sooner.",
        ),
    ] = "session"
    quirks: Annotated[
        str,
        Leaf(
            choice("", *QUIRKS),
            "Whose way of speaking the OpenAI dialects is meant. Empty: told by the host of `base_url`, and "
            '`"compatible"` for one that is not known.',
        ),
    ] = ""
    query: Annotated[
        str,
        Leaf(
            kinds.QUERY,
            "What stands in the query of every request on the model routes, such as Azure's `api-version=preview`. "
            "Not for keys: it is shown. Empty, because few servers want one.",
        ),
    ] = ""
    think_tags: Annotated[
        str,
        Leaf(
            choice("", "off", "tags", "open"),
            'Whether thoughts stand in the text of answers: `"tags"` for `<think>` before them and `</think>` behind, '
            '`"open"` for the closing tag alone, `"off"` for text that is never looked at. Empty: what `quirks` says.',
        ),
    ] = ""
    clear_thinking: Annotated[
        bool,
        Leaf(
            kinds.FLAG,
            "Whether `glm` forgets the thoughts of earlier turns; with false they are sent back to it. True, because "
            "that is the vendor's own default.",
        ),
    ] = True
    project: Annotated[
        str,
        Leaf(
            kinds.PROJECT,
            "The Google Cloud project that `code-assist` asks for. Empty, because no other dialect has one.",
        ),
    ] = ""
