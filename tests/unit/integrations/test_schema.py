"""The published schema is that of the models, and knows good files from bad ones."""

from __future__ import annotations

import json

import yaml
from jsonschema import Draft202012Validator

from consumers.folders import folders
from consumers.integrations import schema
from consumers.integrations.load import files_in


def test_the_schema_is_fresh() -> None:
    assert schema.FILE.read_text() == schema.render()


def test_the_schema_takes_the_files_that_ship_and_refuses_what_we_refuse(shop: str) -> None:
    validator = Draft202012Validator(json.loads(schema.FILE.read_text()))
    texts = [path.read_text() for folder in folders() for path in files_in(folder)]
    assert len(texts) >= 4
    for text in [*texts, shop]:
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
    for old, new in (("tier: api", "tier: cloud"), ("tier: api", "teir: api"), ("rejected}", "gone}")):
        assert list(validator.iter_errors(yaml.safe_load(shop.replace(old, new))))
