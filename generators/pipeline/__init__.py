"""The work itself, step after step: read, derive, render, compare, write. The commands in `cli` only call it."""
