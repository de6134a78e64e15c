"""Checkpoints: who holds the key says that a chain had this end at that time (Ed25519, RFC 8032)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from consumers.audit.store import Checkpoint

__all__ = ["BadKey", "holds", "key_id", "make_key", "private_key", "public_key", "sign"]


class BadKey(ValueError):
    """The file holds no Ed25519 key in PEM form."""


def make_key(path: Path) -> None:
    """A new private key, which only its owner may read.

    Raises:
        FileExistsError: there is one already.

    """
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(pem)


def sign(key: Ed25519PrivateKey, system: str, number: int, chain: bytes, at: datetime) -> Checkpoint:
    """The checkpoint of a chain's end."""
    return Checkpoint(
        system, number, chain, at, key_id(key.public_key()), key.sign(_content(system, number, chain, at))
    )


def holds(checkpoint: Checkpoint, key: Ed25519PublicKey) -> bool:
    """Whether that key signed exactly this."""
    content = _content(checkpoint.system, checkpoint.number, checkpoint.hash, checkpoint.at)
    try:
        key.verify(checkpoint.signature, content)
    except InvalidSignature:
        return False
    return True


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a key: the beginning of its hash."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a file that holds it, or its private one.

    Raises:
        BadKey, OSError: there is no such key.

    """
    try:
        found = load_pem_public_key(path.read_bytes())
    except ValueError:
        return private_key(path.read_bytes(), str(path)).public_key()
    if not isinstance(found, Ed25519PublicKey):
        msg = f"{path}: not an Ed25519 key"
        raise BadKey(msg)
    return found


def private_key(pem: bytes, where: str) -> Ed25519PrivateKey:
    """The key in a PEM text without a pass phrase; errors name `where` it was.

    Raises:
        BadKey: there is none.

    """
    try:
        found = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        found = None  # what is said of it may repeat it
    if not isinstance(found, Ed25519PrivateKey):
        msg = f"{where}: not an Ed25519 key in PEM form"
        raise BadKey(msg)
    return found


def _content(system: str, number: int, chain: bytes, at: datetime) -> bytes:
    return f"{system}\n{number}\n{chain.hex()}\n{at.isoformat(timespec='microseconds')}".encode()
