"""Pure formats: what each provider's wire dialect looks like."""
