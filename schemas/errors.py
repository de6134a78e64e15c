"""Errors of the contracts: the class says what the caller should do.

SchemaError
├── Undecodable           garbage, or bytes left over: dead-letter it
├── UnknownSchemaId       no schema of that id: dead-letter it
├── UnknownRecord         a record that this code does not have: dead-letter it
├── InvalidRecord         a value breaks its contract: dead-letter it
├── SchemaRefused         the registry does not take our schema: mend the contract; waiting helps nothing
└── RegistryUnavailable   the registry is away: try again, nothing is wrong with the message
"""

from __future__ import annotations

__all__ = [
    "InvalidRecord",
    "RegistryUnavailable",
    "SchemaError",
    "SchemaRefused",
    "Undecodable",
    "UnknownRecord",
    "UnknownSchemaId",
]


class SchemaError(Exception):
    """Something is wrong with a record or its schema."""


class Undecodable(SchemaError):
    """The bytes are not a record in Confluent's wire format."""


class UnknownSchemaId(SchemaError):
    """No schema has this id."""


class UnknownRecord(SchemaError):
    """The record is none of ours."""


class InvalidRecord(SchemaError):
    """The record breaks its contract."""


class SchemaRefused(SchemaError):
    """The registry does not take the schema."""


class RegistryUnavailable(SchemaError):
    """The schema registry did not answer."""
