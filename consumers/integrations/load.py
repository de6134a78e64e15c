"""Reads integration files. Every mistake of a file is told at once, as `file:line: field: what is wrong`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from consumers.integrations.check import Mistake, check_action, check_system, fields_of
from consumers.integrations.document import Document, Place, Problem, read_document
from consumers.integrations.spec import ActionSpec, IntegrationSpec

__all__ = ["BadIntegration", "files_in", "read", "read_all", "read_placed"]

# Said of a value because it did not fit the other branch of a union.
_OTHER_BRANCH = frozenset({"string_type", "dict_type", "model_type", "literal_error", "model_attributes_type"})
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no field that is known here",
    "model_type": "should be a set of fields",
    "dict_type": "should be a set of fields",
    "union_tag_not_found": "has no `type`",
    "bool_type": "should be true or false",
}


class BadIntegration(Exception):
    """{each problem on a line of its own}"""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def read(path: Path, *, name: str | None = None) -> IntegrationSpec:
    """The integration in that file. `name` is how the file is called in messages.

    Raises:
        BadIntegration: with every mistake in it.

    """
    return read_placed(path, name=name)[1]


def read_placed(path: Path, *, name: str | None = None) -> tuple[Document, IntegrationSpec]:
    """The same, with the document, which knows the line of each field.

    Raises:
        BadIntegration: as `read`.

    """
    called = name or str(path)
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise BadIntegration([Problem(called, 1, "", f"cannot be read: {exc.strerror}")]) from exc
    document = read_document(called, content)
    if document.problems and document.data is None:
        raise BadIntegration(document.problems)
    spec, problems = _validated(document, path.parent)
    if problems or document.problems or spec is None:
        raise BadIntegration([*document.problems, *problems])
    return document, spec


def read_all(paths: Sequence[Path]) -> Mapping[str, IntegrationSpec]:
    """All of them, by the system's name.

    Raises:
        BadIntegration: with every mistake in any of them; two files of one system are one.

    """
    found: dict[str, tuple[Path, IntegrationSpec]] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            spec = read(path)
        except BadIntegration as exc:
            problems += exc.problems
            continue
        if spec.name in found:
            problems.append(Problem(str(path), 1, "name", f"{found[spec.name][0]} is system {spec.name!r} already"))
        found[spec.name] = path, spec
    if problems:
        raise BadIntegration(problems)
    return {name: spec for name, (_, spec) in sorted(found.items())}


def files_in(folder: Path) -> list[Path]:
    """The integration files of a folder.

    Raises:
        BadIntegration: there is no such folder.

    """
    if not folder.is_dir():
        raise BadIntegration([Problem(str(folder), 1, "", "is no folder")])
    return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})


def _validated(document: Document, folder: Path) -> tuple[IntegrationSpec | None, list[Problem]]:
    problems: list[Problem] = []
    spec: IntegrationSpec | None = None
    try:
        spec = IntegrationSpec.model_validate(document.data, context={"folder": folder})
    except ValidationError as exc:
        problems += _shape(document, exc)
    problems += [document.at(place, message) for place, message in _meaning(document.data, spec)]
    return spec, problems


def _meaning(data: Any, spec: IntegrationSpec | None) -> Iterator[Mistake]:
    """What is wrong with each action that has the right shape, even where others have not."""
    if spec is not None:
        yield from check_system(spec)
        actions: Mapping[str, ActionSpec] = spec.actions
        system: str = spec.name
        protocol: str = spec.protocol
    else:
        if not isinstance(data, dict) or not isinstance(data.get("actions"), dict):
            return
        actions = {name: action for name, raw in data["actions"].items() if (action := _action(raw)) is not None}
        system, protocol = str(data.get("name")), str(data.get("protocol"))
    # Those of wrong shape are known by name all the same.
    names = actions.keys() if spec is not None else data["actions"].keys()
    for name, action in actions.items():
        for place, message in check_action(name, action, protocol, fields_of(action, system), names):
            yield ("actions", name, *place), message


def _action(raw: Any) -> ActionSpec | None:
    try:
        return ActionSpec.model_validate(raw)
    except ValidationError:
        return None


def _shape(document: Document, exc: ValidationError) -> Iterator[Problem]:
    errors = exc.errors(include_url=False, include_context=True)
    placed = [(_place(document.data, error["loc"]), error) for error in errors]
    for place, error in placed:
        union = len(place) != len(error["loc"])
        if union and error["type"] in _OTHER_BRANCH:
            others = [e for p, e in placed if e is not error and p[: len(place)] == place]
            if any(e["type"] not in _OTHER_BRANCH for e in others) or others[:1] > [error]:
                continue
        yield document.at(place, _said(error))


def _place(data: Any, loc: tuple[int | str, ...]) -> Place:
    """The error's place without the names of union branches, which are in no file."""
    place: list[int | str] = []
    for index, part in enumerate(loc):
        inside = _inside(data, part)
        if inside:
            data = inside[0]
        elif index != len(loc) - 1 or not isinstance(data, dict):
            continue
        place.append(part)
    return tuple(place)


def _inside(data: Any, part: int | str) -> tuple[Any] | None:
    if isinstance(data, dict) and part in data:
        return (data[part],)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return (data[part],)
    return None


def _said(error: ErrorDetails) -> str:
    if error["type"] in _WORDS:
        return _WORDS[error["type"]]
    text = error["msg"].removeprefix("Value error, ")
    return text[0].lower() + text[1:]
