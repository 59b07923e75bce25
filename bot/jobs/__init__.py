"""Door: what the workers run.  Each job takes a row id and looks there."""
