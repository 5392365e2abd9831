"""A small certificate authority of this machine, for HTTPS in the house.

Browsers give a page the microphone only over HTTPS, and accept a certificate only from an authority
that the user has installed. Its certificate is constrained to local networks and this machine's
names, so that a stolen key can impersonate nothing else.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import plistlib
import ssl
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgevoice import files
from edgevoice.errors import StorageError
from edgevoice.server.addresses import PRIVATE, Address, is_private

AUTHORITY_DAYS = 3650
LEAF_DAYS = 397
"""Apple accepts at most 825 days, and other browsers are stricter."""

BACKDATED = datetime.timedelta(days=1)
"""For clients whose clock is late."""

RENEW_BEFORE = datetime.timedelta(days=LEAF_DAYS + 30)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate and key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate, as browsers and phones install it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, as systems show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def mobileconfig(self) -> bytes:
        """A profile for iOS and macOS that installs the certificate."""
        name = _common_name(self.certificate)
        number = uuid.uuid5(uuid.NAMESPACE_OID, self.fingerprint)
        payload = {
            "PayloadType": "com.apple.security.root",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"edgevoice.authority.{number}",
            "PayloadUUID": str(number),
            "PayloadDisplayName": name,
            "PayloadContent": self.der,
        }
        return plistlib.dumps(
            {
                "PayloadType": "Configuration",
                "PayloadVersion": 1,
                "PayloadIdentifier": f"edgevoice.{number}",
                "PayloadUUID": str(uuid.uuid5(number, "profile")),
                "PayloadDisplayName": name,
                "PayloadDescription": "Lets this device trust your own edgevoice in your house.",
                "PayloadContent": [payload],
            }
        )


def authority(folder: Path, host: str) -> Authority:
    """The authority in `folder`, made if there is none yet, or if it is damaged or about to expire.

    Raises StorageError.
    """
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    with contextlib.suppress(OSError, ValueError):
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        lasts = certificate.not_valid_after_utc - _now() > RENEW_BEFORE
        if isinstance(key, Key) and key.public_key() == certificate.public_key() and lasts:
            return Authority(certificate, key)
    made = _new_authority(host)
    _write(key_file, _key_bytes(made.key))
    _write(certificate_file, made.certificate.public_bytes(serialization.Encoding.PEM))
    return made


def leaf_context(
    folder: Path, signer: Authority, addresses: Sequence[Address], host: str
) -> ssl.SSLContext:
    """TLS for a server with these addresses and this name. Raises StorageError."""
    certificate, key = _new_leaf(signer, addresses, host)
    path = folder / "leaf.pem"
    chain = (certificate, signer.certificate)
    _write(
        path,
        _key_bytes(key) + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return context


def _new_authority(host: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"edgevoice on {host}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edgevoice"),
        ]
    )
    names = [x509.DNSName(each) for each in dict.fromkeys(("localhost", "local", host)) if each]
    networks = [x509.IPAddress(network) for network in PRIVATE]
    now = _now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints([*names, *networks], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _new_leaf(
    signer: Authority, addresses: Sequence[Address], host: str
) -> tuple[x509.Certificate, Key]:
    key = ec.generate_private_key(ec.SECP256R1())
    loopback = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    permitted = signer.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    names = [name for name in ("localhost", host, f"{host}.local") if _allowed(name, permitted)]
    alternatives = [
        *(x509.DNSName(name) for name in dict.fromkeys(names)),
        *(x509.IPAddress(a) for a in dict.fromkeys([*addresses, *loopback]) if is_private(a)),
    ]
    now = _now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])]))
        .issuer_name(signer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
        .sign(signer.key, hashes.SHA256())
    )
    return certificate, key


def _allowed(name: str, permitted: x509.NameConstraints) -> bool:
    """Whether the authority may sign for this name, for example after the machine was renamed."""
    domains = [s.value for s in permitted.permitted_subtrees or () if isinstance(s, x509.DNSName)]
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _key_bytes(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    try:
        files.replace_bytes(path, [data], private=True)
    except OSError as error:
        raise StorageError(
            f"the certificate cannot be written: {error.strerror}",
            where=str(path),
            remedy="free some space, and check who owns the folder",
        ) from None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
