"""Reference pages, made from the commands and the models: `python -m generators.cli.reference [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from typer.testing import CliRunner

from generators.checks.policy import RULES
from generators.checks.policy.rbac import POWERS
from generators.checks.policy.rule import PODS
from generators.checks.policy.values import RULES as OF_VALUES
from generators.cli.main import app
from generators.model.exceptions import EXCUSABLE
from generators.output.disk import holds, replace_file
from generators.pipeline import fleet, schemas
from generators.source.workspace import Workspace, locate

NOTE = "<!-- Made by `make docs`; `make check` holds it against the code. -->"


TITLES = {"app": "apps/<app>/app.yaml", "cluster": "clusters/<name>/cluster.yaml", "defaults": "clusters/defaults.yaml"}


def pages(workspace: Workspace) -> dict[str, str]:
    """File name below `docs/reference/` → text."""
    read = fleet.read(workspace)
    models = schemas.models(read)
    found = {f"{name}-file.md": _page(TITLES[name], _model(schema)) for name, schema in models.items()}
    policy = _page("Policy", _policy(read.catalog.registries))
    return {"commands.md": _page("The `fleet` command", _commands()), "policy.md": policy, **found}


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([NOTE, "", f"# {title}", "", *lines]).rstrip() + "\n"


def _commands() -> Iterator[str]:
    yield "Exit codes: 0 fine; 1 a check found something; 2 the input or the call is wrong; 130 stopped by Ctrl-C;"
    yield "70 a bug of ours."
    yield "Data goes to stdout, talk to stderr."
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"})
    for words in _names():
        text = runner.invoke(app, [*words, "--help"], prog_name="fleet").output
        yield from ("", f"## fleet {' '.join(words)}", "", "```", text.strip(), "```")


def _names() -> Iterator[list[str]]:
    """The words of each command, those of groups included."""
    for command in app.registered_commands:
        yield [command.name or ""]
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            yield [group.name or "", command.name or ""]


def _policy(registries: Mapping[str, str]) -> Iterator[str]:
    yield "`fleet validate` holds every rendered object to these rules. The id stands at the end of a message."
    of_values = ", ".join(f"`{rule}`" for rule in OF_VALUES)
    yield f"Of third-party charts only the values are known here, and those are held to {of_values};"
    yield "an exception for them names `Application/<app>`."
    yield ""
    yield "Where it says yes, an app may break the rule for an object, with a reason in its app.yaml:"
    yield "[how](../how-to/make-an-exception.md)."
    yield from ("", "| rule | what must hold | looked at | with a reason |", "| --- | --- | --- | --- |")
    for rule in RULES:
        kinds = "what makes pods" if set(rule.kinds) == set(PODS) else ", ".join(rule.kinds)
        yield f"| `{rule.id}` | {rule.meaning} | {kinds} | {'yes' if rule.id in EXCUSABLE else ''} |"
    yield from ("", "What makes pods: " + ", ".join(PODS) + ".", "", "## Registries", "")
    yield "Beside the cluster's own in ECR, and the one of EKS in its region; from `generators/data/registries.json`."
    yield from ("", "| registry | for |", "| --- | --- |")
    yield from (f"| `{name}` | {reason} |" for name, reason in sorted(registries.items()))
    yield from ("", "## Rights that lead to others", "", "What `rbac-escalation` looks for:", "")
    yield from ("| verbs | resources | because who has this |", "| --- | --- | --- |")
    for power in POWERS:
        names = ", ".join(f"`{name}{f'.{group}' if group else ''}`" for group, name in power.resources)
        where = " (in all namespaces)" if power.cluster_wide else ""
        yield f"| {', '.join(sorted(power.verbs))} | {names}{where} | {power.why} |"


def _model(schema: dict[str, Any]) -> Iterator[str]:
    """One table for the file itself and one for each model in it."""
    definitions = schema.get("$defs", {})
    for title, each in [("", schema), *definitions.items()]:
        if each.get("type") != "object":
            continue
        if title:
            yield from ("", f"## {title}", "")
        yield from (each.get("description", ""), "", "| key | type | default | meaning |", "| --- | --- | --- | --- |")
        for key, facts in each.get("properties", {}).items():
            yield _row(key, facts, required=key in each.get("required", ()))


def _row(key: str, facts: dict[str, Any], *, required: bool) -> str:
    default = "required" if required else "" if facts.get("default") is None else f"`{facts['default']}`"
    meaning = facts.get("description", "").replace("\n", " ").replace("|", "\\|")
    return f"| `{key}` | {_type(facts)} | {default} | {meaning} |"


def _type(facts: dict[str, Any]) -> str:
    if "$ref" in facts:
        name = facts["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in facts:
        return " or ".join(_type(each) for each in facts["anyOf"] if each.get("type") != "null")
    if "enum" in facts or "const" in facts:
        return ", ".join(f"`{value}`" for value in facts.get("enum", [facts.get("const")]))
    if facts.get("type") == "array":
        return f"list of {_type(facts.get('items', {}))}"
    if facts.get("type") == "object":
        values: Any = facts.get("additionalProperties") or next(iter(facts.get("patternProperties", {}).values()), {})
        return f"mapping to {_type(values)}" if isinstance(values, dict) else "mapping"
    example = f", for example `{facts['examples'][0]}`" if facts.get("examples") else ""
    return str(facts.get("type", "any")) + example


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` says which are out of date; the exit code."""
    workspace = locate()
    folder = workspace.root / "docs" / "reference"
    stale = {name: text for name, text in pages(workspace).items() if not holds(folder / name, text)}
    if "--check" in arguments:
        if stale:
            sys.stderr.write(f"docs/reference/ is out of date ({', '.join(stale)}); mend it with: make docs\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in stale.items():
        replace_file(folder / name, text, f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
