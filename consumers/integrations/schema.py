"""The JSON Schema of integration files, for editors and for other programs.

python -m consumers.integrations.schema            write integration.schema.json
python -m consumers.integrations.schema --check    exit 1 where it has drifted
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from consumers.integrations.spec import IntegrationSpec

__all__ = ["FILE", "main", "render"]

FILE = Path(__file__).parent / "integration.schema.json"


def render() -> str:
    """The text of the schema."""
    schema = IntegrationSpec.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Integration file"}
    return json.dumps({**head, **{k: v for k, v in schema.items() if k not in head}}, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    text = render()
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{FILE.name} has drifted: python -m consumers.integrations.schema")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
