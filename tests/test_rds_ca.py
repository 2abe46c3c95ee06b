"""The certificate authorities of RDS that pods trust: those of the region, roots, and made by their command."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generators.data import __file__ as data
from generators.tools import rds_ca
from generators.tools.binaries import ToolFailed
from tests.tool_needed import needed

REGIONS: dict[str, str] = json.loads(rds_ca.FILE.read_text(encoding="utf-8"))["regions"]
KINDS = ("RSA2048", "RSA4096", "ECC384")


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_three_roots_of_its_own_that_are_good_for_decades(region: str) -> None:
    found = x509.load_pem_x509_certificates(REGIONS[region].encode())
    subjects = [each.subject.rfc4514_string() for each in found]
    assert len(found) == 3
    assert all(f"CN=Amazon RDS {region} Root CA" in subject for subject in subjects)
    for each in found:
        each.verify_directly_issued_by(each)
        assert each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert each.not_valid_after_utc > datetime(2060, 1, 1, tzinfo=UTC)


def test_no_region_trusts_another_s() -> None:
    keys = [
        each.fingerprint(each.signature_hash_algorithm or pytest.fail("no hash"))
        for each in chain.from_iterable(x509.load_pem_x509_certificates(text.encode()) for text in REGIONS.values())
    ]
    assert len(keys) == len(set(keys))


def test_the_file_is_what_its_command_makes_of_the_pinned_package() -> None:
    needed("npm")
    assert rds_ca.main(["--check"]) == 0
    assert str(rds_ca.FILE).startswith(data.removesuffix("__init__.py"))


def test_a_package_without_them_is_refused() -> None:
    [first, *_] = REGIONS["eu-west-1"].split("-----END CERTIFICATE-----")
    with pytest.raises(ToolFailed, match="does not hold three authorities of each region"):
        rds_ca.made(javascript(f"{first}-----END CERTIFICATE-----\n"))
    with pytest.raises(ToolFailed, match="does not hold three authorities of each region"):
        rds_ca.made("exports.defaults = [];")


def javascript(*pems: str) -> str:
    """As the package writes them."""
    blocks = [" +\n        ".join(f"'{line}\\n'" for line in pem.strip().splitlines()) for pem in pems]
    return "exports.defaults = [\n    " + ",\n    ".join(blocks) + ",\n];\n"


@pytest.mark.parametrize("issuer", [None, "Amazon Root CA 1"])
def test_only_what_vouches_for_itself_is_an_authority(issuer: str | None) -> None:
    found = javascript(*(named(f"Amazon RDS eu-test-1 Root CA {kind} G1", issuer) for kind in KINDS))
    if issuer is None:
        assert json.loads(rds_ca.made(found))["regions"].keys() == {"eu-test-1"}
    else:
        with pytest.raises(ToolFailed, match="does not hold three authorities"):
            rds_ca.made(found)


def named(subject: str, issuer: str | None) -> str:
    """A certificate of this name, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    own, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (subject, issuer or subject))
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(own).issuer_name(by).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    made = builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()
