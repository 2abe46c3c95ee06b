"""The one door to disk: documents become text, are compared with a folder, and replace it whole."""
