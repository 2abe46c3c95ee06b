"""What people wrote: YAML with the place of every key, and edits that keep comments."""
