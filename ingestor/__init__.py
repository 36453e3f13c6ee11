"""Hist Data Ingestor: historical market data into TimescaleDB, with proof that nothing was lost."""

__version__ = "0.1.0"

__all__ = ["__version__"]
