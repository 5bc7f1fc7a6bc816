"""GLM's error codes: strings without a type, under 200 as well as under 4xx (docs.z.ai/api-reference/api-code).

Data only; `failures.py` reads it before it looks at a status, since 1113 (no balance) comes under 429 like a mere
limit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import FailureKind

_K = FailureKind

CODES: Final[Mapping[str, FailureKind]] = MappingProxyType({
    # the key: missing, malformed, expired
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), _K.UPSTREAM_AUTH),
    # the account: inactive, missing, locked
    "1110": _K.PERMISSION, "1111": _K.PERMISSION, "1112": _K.PERMISSION, "1120": _K.PERMISSION, "1121": _K.PERMISSION,
    "1113": _K.QUOTA,  # no balance, or a key of the coding plan at the general address
    "1210": _K.INVALID, "1212": _K.INVALID, "1213": _K.INVALID, "1214": _K.INVALID, "1215": _K.INVALID,
    "1211": _K.NOT_FOUND,  # no such model
    "1220": _K.PERMISSION, "1221": _K.PERMISSION, "1222": _K.PERMISSION,
    "1230": _K.SERVER, "1234": _K.SERVER,
    "1261": _K.CONTEXT_LENGTH,
    "1300": _K.CONTENT_FILTER, "1301": _K.CONTENT_FILTER,
    "1302": _K.RATE_LIMIT, "1303": _K.RATE_LIMIT, "1313": _K.RATE_LIMIT,
    "1304": _K.QUOTA,  # calls of the day
    "1305": _K.OVERLOADED, "1312": _K.OVERLOADED,
    # the window of a plan is used up; the message says until when
    "1308": _K.QUOTA, "1310": _K.QUOTA, "1316": _K.QUOTA, "1317": _K.QUOTA,
    "1309": _K.PERMISSION, "1311": _K.PERMISSION,  # the plan has ended, or lacks the model
})  # fmt: skip
