"""The configuration: its model, and the way from TOML files to one frozen, checked value."""
