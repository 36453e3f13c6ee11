"""Changed rules, applied: payloads that are loaded again, quarantined records that are stored."""
