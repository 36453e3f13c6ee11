"""Reading what is stored: symbols, records, DataFrames."""
