"""The index of a third-party chart's value paths: how it is had, compared, and kept."""
