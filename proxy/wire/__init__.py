"""Pure bytes: server-sent events, HTTP body framing, header rules. No I/O, no clock, no log."""
