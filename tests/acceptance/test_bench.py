"""`saga bench`: what it prints adds up. How fast this machine is, is nobody's fault, so no time is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from orchestrator.testing.bench.client import Latency
from orchestrator.testing.bench.usage import usage

pytestmark = [pytest.mark.native, pytest.mark.timeout(280)]


def test_a_small_bench_measures_the_engine_and_the_bare_loop_and_everything_adds_up(
    tell: Callable[[str], None],
) -> None:
    options = ["--sagas", "400", "--rounds", "1", "--singles", "20", "--rate", "20", "--compensating", "0.3", "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator.cli.main", "bench", *options],
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    tell(f"engine / bare loop, while other tests run beside them: {found['ratio_to_bare_loop']:.2f}")
    assert found["wrong"] == []
    assert found["load"]["sagas"] == 400
    assert {"p50", "p95", "p99"} == found["latency_ms"].keys()
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"]
    (engine,), (bare,) = found["engine"], found["bare_loop"]
    assert found["sagas_per_second"] == engine["sagas_per_second"] > 0
    assert found["ratio_to_bare_loop"] == pytest.approx(engine["sagas_per_second"] / bare["sagas_per_second"])
    assert all(figure > 0 for figure in found["limits"].values())
    assert {"coordinator-1", "consumer", "kafka", "postgres", "bench"} == engine["cpu_ms_per_saga"].keys()
    assert engine["rss_mb"]["coordinator-1"] > 0


def test_the_bench_of_calls_counts_what_reaches_the_servers(tell: Callable[[str], None]) -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "orchestrator.cli.main",
            "bench",
            "calls",
            "--calls",
            "100",
            "--rate",
            "50",
            "-o",
            "jsonl",
        ],
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    calls, dead = found["calls"], found["dead"]
    tell(f"the middleware adds {calls['added_ms']['p50']:.2f} ms at p50, while other tests run beside it")
    assert calls["added_ms"]["p50"] == pytest.approx(calls["middleware"]["p50"] - calls["bare"]["p50"])
    assert all(0 < calls[name]["p50"] <= calls[name]["p99"] for name in ("bare", "middleware", "audited"))
    assert found["tokens"]["calls"] >= 10_000
    assert found["tokens"]["requested"] <= found["tokens"]["expected"]
    assert dead["sent_before"] == 20, "the breaker's minimum"
    assert dead["sent_after"] <= dead["probes_allowed"]
    assert dead["calls"] == 2000
    assert found["audit"]["workers"] == 4


def test_percentiles_are_of_the_seconds_in_milliseconds() -> None:
    found = Latency.of([number / 1000 for number in range(1, 101)])
    assert (round(found.p50), round(found.p95), round(found.p99)) == (50, 96, 100)


def test_usage_is_of_a_process_and_its_children_but_of_ours_without() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import subprocess,sys; subprocess.run([sys.executable, '-c', 'print(0); input()'])"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()  # both run
        found = usage({"child": child.pid, "ours": os.getpid(), "nobody": 2**22 + 1})
        assert found["child"].rss > 10
        assert found["ours"].rss > 10
        assert found["ours"].cpu > 0
        assert (found["nobody"].cpu, found["nobody"].rss) == (0, 0)
    finally:
        child.communicate(b"\n")
