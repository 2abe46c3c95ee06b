"""Reference data, each file with its sources and date."""
