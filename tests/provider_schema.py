"""What the AWS provider of version 6 takes, of the kinds that we use, into aws_provider_6.json.

No provider of version 6 can be had where these tests run. The CDK bindings that are generated from its schema can:

    pip download --no-deps cdktn-provider-aws==25.8.1
    python -m tests.provider_schema cdktn_provider_aws-25.8.1-py3-none-any.whl

They are published under MPL-2.0 (https://github.com/cdktn-io/cdktn-provider-aws). Names of arguments, and whether they
are required, are all that is taken.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from tests.provider_use import used

FILE = Path(__file__).with_name("aws_provider_6.json")
PREFIX = {"resource": "", "data": "DataAws"}
"""Of the bindings' class for a kind. For ephemeral resources there is none."""
Block = dict[str, Any]
"""Argument to whether it must be there; a nested block's name to the same of it, with "" for the block itself."""


def assembly(wheel: Path) -> tuple[str, dict[str, Any]]:
    """Version of the provider, and the bindings' types by their names in full."""
    with zipfile.ZipFile(wheel) as packed:
        (archive,) = [name for name in packed.namelist() if name.endswith(".jsii.tgz")]
        (about,) = [name for name in packed.namelist() if name.endswith("/METADATA")]
        version = re.search(r"aws provider version (\S+)", packed.read(about).decode())
        assert version
        with tarfile.open(fileobj=io.BytesIO(packed.read(archive))) as inner:
            found = inner.extractfile("package/.jsii")
            assert found
            return version[1], json.loads(found.read())["types"]


def argument(member: dict[str, Any]) -> str:
    """Terraform's name of a member: the anchor that its link to the documentation has for it."""
    plain = member["name"].lower()
    anchors = re.findall(r"#(\w+)", json.dumps(member.get("docs", {})))
    found = next((each for each in anchors if each.replace("_", "") == plain), None)
    return found or re.sub(r"(?<!^)(?=[A-Z])", "_", member["name"]).lower()


def block(types: dict[str, Any], name: str) -> Block:
    """Of an interface of the bindings, nested ones included."""
    found: Block = {}
    for member in types[name].get("properties", []):
        required = not member.get("optional", False)
        nested = [each for each in re.findall(r'"fqn": "([^"]+)"', json.dumps(member["type"])) if each in types]
        inner = next((each for each in nested if types[each]["kind"] == "interface" and each != name), "")
        found[argument(member)] = {"": required} | block(types, inner) if inner else required
    return found


def kinds(types: dict[str, Any]) -> dict[str, Block]:
    """`resource TYPE` or `data TYPE` to its arguments, of those that our Terraform uses."""
    by_name = {name.rpartition(".")[2].lower(): name for name in types}
    found = {}
    for kind, name in sorted({(each.kind, each.type) for each in used() if each.kind in PREFIX}):
        plain = PREFIX[kind].lower() + name.removeprefix("aws_").replace("_", "")
        # The bindings put an A where two of their classes would have one name.
        config = by_name.get(f"{plain}config") or by_name[f"{plain}aconfig"]
        found[f"{kind} {name}"] = block(types, config)
    return found


def main() -> None:
    """Write the file."""
    version, types = assembly(Path(sys.argv[1]))
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in kinds(types).items())
    FILE.write_text(f'{{"version": "{version}", "kinds": {{\n{lines}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
