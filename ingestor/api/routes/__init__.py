"""Routes: take a request apart, ask `ingestor.insights`, give the answer its form."""
