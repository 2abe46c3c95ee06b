"""Keys and certificates of one lab: an authority of its own, and one certificate for each who signs in."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from generators.lab.home import Home

DAYS = 7
"""A lab does not live longer."""
SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Authority:
    """Who signs. Its key is only in memory: when the lab is up, nobody else can get in."""

    home: Home
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """The authority's certificate."""
        return self.home.folder / "keys" / "ca.crt"

    def issue(self, name: str, organisation: str = "", *, server: bool = False) -> tuple[Path, Path]:
        """Files with a certificate and its key: of a server on loopback, or of a client `name` in a group."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(_subject(name, organisation), self.certificate.subject, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if server:
            names = [x509.DNSName(each) for each in SERVER_NAMES]
            loopback = x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([*names, loopback]), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        file = name.replace(":", "-")
        return (
            self.home.write(f"keys/{file}.crt", _pem(certificate)),
            self.home.write(f"keys/{file}.key", _key_pem(key)),
        )

    def kubeconfig(self, file: str, url: str, name: str, organisation: str = "") -> Path:
        """A kubeconfig of a client, whole in one file."""
        certificate, key = self.issue(name, organisation)
        user = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
        server = {"server": url, "certificate-authority-data": _base64(self.file)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": server}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": name}}],
            "current-context": "lab",
        }
        return self.home.write(file, json.dumps(config, indent=1))


def authority(home: Home) -> Authority:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("inference-fleet-lab", "")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _builder(name, name, key.public_key()).add_extension(constraints, critical=True)
    made = Authority(home, key, certificate.sign(key, hashes.SHA256()))
    home.write("keys/ca.crt", _pem(made.certificate))
    return made


def service_account_key(home: Home) -> Path:
    """The key that signs ServiceAccount tokens: RSA, as on EKS."""
    return home.write("keys/accounts.key", _key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _subject(name: str, organisation: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
