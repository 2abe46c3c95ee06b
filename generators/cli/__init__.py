"""The `fleet` command: parse, call, print. Heavy imports stay inside the commands, so that `--help` is quick."""
