"""Batches on a live cluster: submitted, looked at, read and cancelled, through kubectl."""
