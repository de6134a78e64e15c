"""What an integration file says under the protocols that are neither plain HTTP nor mail: SOAP, IDocs, GraphQL.

Strings in messages, headers, segments, control fields and variables are JMESPath, as `spec.py` says; names beside them
are the WSDL's, SAP's and the schema's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo, WithJsonSchema, model_validator

from consumers.connectors.graphql import operation_of
from consumers.integrations.fields import Identifier, Scalar, Seconds, Strict, Text

__all__ = ["DocumentSpec", "GraphqlSpec", "IdocSpec", "OperationSpec", "QuerySpec", "SoapPort"]


def _beside(path: Path, info: ValidationInfo) -> Path:
    context: Any = info.context
    found = path if context is None else Path(context["folder"]) / path
    if not found.is_file():
        msg = "is no file (a relative path starts where this file is)"
        raise ValueError(msg)
    return found


def _one_operation(text: str) -> str:
    operation_of(text)
    return text


File = Annotated[Path, AfterValidator(_beside), WithJsonSchema({"type": "string"})]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s?#{}]*$", max_length=500)]
XmlName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=100)]
# SAP writes the slashes of a namespace (/XYZ/E1SEG) as _-XYZ_-E1SEG in XML.
Tree = dict[XmlName, JsonValue]


class SoapPort(Strict):
    """One port of a WSDL, and where it is called.

    Attributes:
        wsdl: a file; a relative path starts where the integration file is. What it imports must be files too.
        path: below the base URL, whatever address the WSDL names.
        service, port: names in the WSDL; by default the first.
        version: of SOAP; by default that of the port.

    """

    wsdl: File
    path: UrlPath = "/"
    service: Text | None = None
    port: Text | None = None
    version: Literal["1.1", "1.2"] | None = None


class OperationSpec(Strict):
    """One call by SOAP. What maps to null is left out.

    Attributes:
        name: in the WSDL.
        port: one of the file's `soap`.
        message: the input, by the names of its schema; a text beside attributes is `_value_1`.
        headers: blocks of the SOAP header, by the names of their parts in the WSDL.
        reads: it changes nothing.

    """

    name: Text
    port: Identifier | None = None
    message: Tree = Field(default_factory=dict)
    headers: Tree = Field(default_factory=dict)
    reads: bool = False


class IdocSpec(Strict):
    """Where IDocs go, and where their status is asked for; see `consumers.connectors.idoc.IdocClient`.

    Attributes:
        status_path: of a service of the installation's own. It answers with the IDocs of that reference, the newest
            first: one that SAP has ended may be sent again under it.
        status: path of the status in the answer, `value.0.STATUS`.
        outcomes: statuses to done | rejected | failed | unknown; these go before SAP's own.
        every, within: seconds between two questions, and until it is given up.
        control: fields of every control record.

    """

    path: UrlPath = "/sap/bc/idoc_xml"
    status_path: UrlPath
    status_parameter: Text = "reference"
    status: Text
    outcomes: dict[Text, Literal["done", "rejected", "failed", "unknown"]] = Field(default_factory=dict)
    every: Seconds = 1
    within: Seconds = 30
    reference_field: XmlName = "ARCKEY"
    control: dict[XmlName, Scalar] = Field(default_factory=dict)


class DocumentSpec(Strict):
    """One IDoc. A segment that maps to a list stands there as often; what maps to null or has no field is left out.

    Attributes:
        type: the basic type, `ORDERS05`.
        control: fields of the control record, such as MESTYP; the reference is added.
        segments: each a set of one, in the order of the type.

    """

    type: XmlName
    control: dict[XmlName, Scalar] = Field(default_factory=dict)
    segments: Annotated[list[Tree], Field(min_length=1)]


class GraphqlSpec(Strict):
    """The endpoint, below the base URL."""

    path: UrlPath = "/graphql"


class QuerySpec(Strict):
    """One query or mutation: a constant, with values in variables alone.

    Attributes:
        text: one operation; a mutation has one root field.
        variables: by name. What maps to null is left out, unless `nulls` says to send it.
        problems: path in `data` of a list of `{code, message}` for what was not done: Shopify's `userErrors`.

    """

    text: Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_one_operation)]
    variables: dict[Annotated[str, Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]*$")], JsonValue] = Field(default_factory=dict)
    problems: Text | None = None
    nulls: bool = False

    @property
    def reads(self) -> bool:
        """It is a query."""
        return operation_of(self.text) == "query"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.problems is not None and self.reads:
            msg = "`problems` is of no use with a query: nothing is done"
            raise ValueError(msg)
        return self
