"""Names for plain values that would otherwise be told apart by their position only."""

from typing import NewType

RequestId = NewType("RequestId", str)
"""Made by us for each request: `req_` and 24 characters; safe in a header, a log line and an answer."""

ClientName = NewType("ClientName", str)
ProviderName = NewType("ProviderName", str)
AccountName = NewType("AccountName", str)
