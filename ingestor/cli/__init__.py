"""Command lines: parse, call, print. What is done stands elsewhere."""
