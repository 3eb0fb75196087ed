"""Credentials: the directory that enrolment writes, and who a certificate says its owner is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography import x509

from .errors import CredentialsRefused, Refused
from .values import checked_name

_FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True)
class Identity:
    """Who somebody is: `ach://<site>/<role>/<name>`."""

    site: str
    role: str
    name: str

    def __str__(self) -> str:
        return f"{self.role} {self.name} of {self.site}"

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Identity:
        """Reads the one URI among the subject alternative names."""
        try:
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            raise CredentialsRefused("a certificate that does not say whose it is") from None
        uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
        if len(uris) != 1:
            raise CredentialsRefused(f"a certificate with {len(uris)} URIs; it must have one")
        parts = urlsplit(uris[0])
        path = parts.path.split("/")
        if parts.scheme != "ach" or len(path) != 3 or path[0]:
            raise CredentialsRefused(f"{uris[0]!r} is not ach://SITE/ROLE/NAME")
        try:
            return cls(checked_name(unquote(parts.netloc)), path[1], checked_name(unquote(path[2])))
        except Refused as refused:
            raise CredentialsRefused(f"{uris[0]!r}: {refused}") from None


@dataclass(frozen=True)
class Credentials:
    """What a client shows, and what it checks its node with."""

    directory: Path
    identity: Identity
    expires_at: datetime

    @classmethod
    def load(cls, directory: str | Path) -> Credentials:
        """Reads a directory that `ach vendor enrol` or `ach receiver enrol` wrote."""
        directory = Path(directory)
        for name in _FILES:
            if not (directory / name).is_file():
                raise CredentialsRefused(
                    f"{directory / name} is missing: `ach vendor enrol` and the like write it"
                )
        try:
            certificate = x509.load_pem_x509_certificate((directory / "cert.pem").read_bytes())
        except ValueError as error:
            raise CredentialsRefused(
                f"{directory / 'cert.pem'} is no certificate: {error}"
            ) from None
        return cls(directory, Identity.of(certificate), certificate.not_valid_after_utc)

    @property
    def authority_file(self) -> str:
        """The site's authority."""
        return str(self.directory / "ca.pem")

    @property
    def certificate_file(self) -> str:
        """The certificate to show."""
        return str(self.directory / "cert.pem")

    @property
    def key_file(self) -> str:
        """Its key."""
        return str(self.directory / "key.pem")
