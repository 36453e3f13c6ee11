"""One module per standard table or family of them; each names its own as ``TABLES``."""
