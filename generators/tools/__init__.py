"""Adapters for programs that are not Python: one function each, version-checked."""
