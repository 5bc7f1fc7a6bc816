"""The state that outlives a request and a process."""
