"""The command's clients."""
