"""Databento's historical API as a source."""
