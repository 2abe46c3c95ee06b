"""What is true of a cluster: frozen pydantic models and what follows from them. No I/O, no YAML, no paths."""
