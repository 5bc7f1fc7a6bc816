"""Pure accounting: what a stream used."""
