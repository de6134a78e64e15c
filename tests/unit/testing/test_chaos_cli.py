"""`saga chaos --judge`: what a run left in its folder is judged without any server."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from typer.testing import CliRunner

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.main import app
from orchestrator.testing.chaos.evidence import write_left
from orchestrator.testing.chaos.history import Type
from orchestrator.testing.chaos.run import HISTORY

from .test_chaos_judge import Evidence, done_twice, event


def keep(evidence: Evidence, folder: Path) -> Path:
    plan = event(0, Type.NOTE, "plan", "", wanted=["kill mail", "poison"])
    lines = b"".join(msgspec.json.encode(e) + b"\n" for e in (plan, *evidence.events))
    (folder / HISTORY).write_bytes(lines)
    write_left(evidence.left(), folder / "left.msgpack")
    return folder


def judge(folder: Path, *arguments: str):
    return CliRunner().invoke(app, ["chaos", "--judge", str(folder), *arguments])


def test_what_passed_passes_again(tmp_path: Path) -> None:
    done = judge(keep(Evidence(), tmp_path))
    assert done.exit_code == Exit.OK, done.output
    assert "kill mail" in done.stdout
    assert "1 compensated, 1 completed, 1 review; 8 effects" in done.stdout
    assert "in review: 1 by welcome-email, OUTCOME_UNKNOWN" in done.stdout
    assert "Passed" in done.stderr


def test_what_is_wrong_is_said_and_fails(tmp_path: Path) -> None:
    evidence = Evidence()
    done_twice(evidence)
    done = judge(keep(evidence, tmp_path), "-o", "json")
    assert done.exit_code == Exit.FAILED
    (found,) = json.loads(done.stdout)
    assert found["passed"] is False
    assert (found["sagas"], found["struck"]) == (
        {"completed": 1, "compensated": 1, "review": 1},
        {"kill mail": 1, "poison": 1},
    )
    assert [wrong["saga"] for wrong in found["wrong"]] != []
    assert "was done 2 times" in done.stderr


def test_an_invalid_run_fails_though_nothing_is_wrong(tmp_path: Path) -> None:
    evidence = Evidence()
    evidence.events = [e for e in evidence.events if not (e.what == "poison" and e.id.startswith("strike"))]
    done = judge(keep(evidence, tmp_path))
    assert done.exit_code == Exit.FAILED
    assert "invalid: poison never struck" in done.stderr


def test_a_folder_without_a_history_is_not_found_and_one_with_another_is_not_used(tmp_path: Path) -> None:
    done = judge(tmp_path)
    assert isinstance(done.exception, CliError)
    assert done.exception.exit_code == Exit.NOT_FOUND
    keep(Evidence(), tmp_path)
    done = CliRunner().invoke(app, ["chaos", "--keep", str(tmp_path)])
    assert isinstance(done.exception, CliError)
    assert done.exception.exit_code == Exit.USAGE
