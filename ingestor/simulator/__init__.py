"""Market data made from a seed, in Databento's own format, for trials, demos and tests."""
