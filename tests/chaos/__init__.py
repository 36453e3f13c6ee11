"""Random faults against the whole service, and a comparison of every row at the end."""
