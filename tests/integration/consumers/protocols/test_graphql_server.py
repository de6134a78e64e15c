"""The GraphQL client against Apollo Server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from consumers.connectors.graphql import GraphQLClient
from consumers.connectors.guard import Guard
from consumers.connectors.http import HttpClient
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call

CREATE = "mutation C($name: String!, $taxId: String!) { createVendor(name: $name, taxId: $taxId) { id name } }"
FIND = "query F($taxId: String!) { vendor(taxId: $taxId) { id name } }"
DELETE = "mutation D($taxId: String!) { deleteVendor(taxId: $taxId) }"
ERRORS = {"DUPLICATE_TAX_ID": "rejected"}


@pytest.fixture
async def graphql(graphql_url: str, http: Callable[..., HttpClient], guard: Guard) -> AsyncIterator[GraphQLClient]:
    async with GraphQLClient(http(graphql_url), guard, path="/", errors=ERRORS) as made:
        yield made


async def test_a_vendor_is_created_found_refused_twice_and_deleted(graphql: GraphQLClient, call: Call) -> None:
    tax = str(uuid4())
    # What would break out of a query that is built of strings.
    name = 'A") { id } evil: deleteVendor(taxId: "x'
    created = await graphql.request(CREATE, call=call, variables={"name": name, "taxId": tax})
    assert created["createVendor"]["name"] == name
    assert await graphql.look_up(FIND, call=call, variables={"taxId": tax}, at="vendor") == created["createVendor"]
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await graphql.request(CREATE, call=call, variables={"name": name, "taxId": tax})
    assert await graphql.request(DELETE, call=call, variables={"taxId": tax}) == {"deleteVendor": True}
    assert await graphql.look_up(FIND, call=call, variables={"taxId": tax}, at="vendor") is None
    again = await graphql.request(DELETE, call=call, variables={"taxId": tax}, missing_ok=True)
    assert again is None


@pytest.mark.parametrize("field", ["bankAccount", "rating"])
async def test_what_was_done_before_a_field_below_failed_is_unknown_and_really_there(
    graphql: GraphQLClient, call: Call, field: str
) -> None:
    tax = str(uuid4())
    document = CREATE.replace("{ id name }", f"{{ id {field} }}")
    mapped = {"FORBIDDEN": "rejected", "RATING_AWAY": "rejected"}
    with pytest.raises(Unknown):
        await graphql.request(document, call=call, variables={"name": "A", "taxId": tax}, errors=mapped)
    assert await graphql.look_up(FIND, call=call, variables={"taxId": tax}, at="vendor") is not None


async def test_an_error_without_a_code_of_ours_is_unknown(graphql: GraphQLClient, call: Call) -> None:
    with pytest.raises(Unknown, match="INTERNAL_SERVER_ERROR: something broke"):
        await graphql.request(CREATE, call=call, variables={"name": "BREAK", "taxId": str(uuid4())})


async def test_what_the_server_does_not_even_run_is_rejected(graphql: GraphQLClient, call: Call) -> None:
    with pytest.raises(Rejected, match="GRAPHQL_VALIDATION_FAILED"):
        await graphql.request("mutation { noSuchField }", call=call)
    with pytest.raises(Rejected, match="BAD_USER_INPUT"):
        await graphql.request(CREATE, call=call, variables={"name": "A"})


async def test_a_credential_inside_200_is_failed_and_a_probe_that_fails_unknown(
    graphql: GraphQLClient, call: Call
) -> None:
    with pytest.raises(Failed, match="UNAUTHENTICATED"):
        await graphql.request("{ guarded }", call=call)
    with pytest.raises(Unknown, match="the probe failed"):
        await graphql.look_up("{ guarded }", call=call)
    with pytest.raises(ValueError, match="query"):
        await graphql.look_up(DELETE, call=call, variables={"taxId": "x"})
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await graphql.look_up("{ count }", call=call, at="counts")
