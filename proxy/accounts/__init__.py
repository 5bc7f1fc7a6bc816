"""Pure policy: which account a request goes to. Time is passed in."""
