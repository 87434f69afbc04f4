"""The benchmark, small: its parts work together, and its own check of answered against stored holds."""

import argparse
import json
import os
import subprocess
import sys
import time

from laddbok.bench import cpu
from laddbok.bench.gateway import bench_gateway
from laddbok.bench.payments import bench_payments
from laddbok.wires.bank_files import read_bank_file


def test_the_report_has_its_figures_and_lost_nothing() -> None:
    report = bench_gateway(argparse.Namespace(messages=1_000, connections=20, read_samples=10_000, json=True))
    assert json.loads(json.dumps(report)) == report
    for part in ("mv16", "te201"):
        assert report[part]["rows"] == report[part]["messages"] == 1_000
        assert report[part]["cpu_us_gateway"] > 0 and report[part]["messages_per_s"] > 0
    assert report["storm"]["stations"] == 100 and report["storm"]["lost"] == 0
    cost = report["sample_cost"]
    assert (cost["windows"], cost["messages"]) == (1, 300) and report["sample_cost_ratio"] > 0
    assert 0 < cost["late_log_bytes"] < 2 * cost["early_log_bytes"]
    read = report["session_read"]
    assert read["samples"] >= 10_000 and 0 < read["p50_ms"] <= read["p99_ms"]
    assert read["long"]["samples"] == 10_000 and 0 < read["long"]["p50_ms"] <= read["long"]["p99_ms"]
    assert 0 <= report["raw_cpu_us"] < report["ocpp_library_cpu_us"]  # a few hundred messages may cost less than a tick
    assert (report["fsync"], report["synchronous_commit"], report["full_page_writes"]) == ("on", "on", "on")


def test_every_payment_of_a_file_reaches_its_invoice() -> None:
    report = bench_payments(argparse.Namespace(payments=30), read_bank_file)
    assert (report["payments"], set(report)) == (30, {"payments", "file_mb", "seconds", "cpu_s", "payment_ms"})


def test_the_time_of_children_that_have_ended_is_counted() -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    before_s = cpu.cpu_s([os.getpid()])
    subprocess.run([sys.executable, "-c", busy], check=True)
    assert cpu.cpu_s([os.getpid()]) - before_s > 0.25  # times are told in ticks of 10 ms


def test_a_tree_has_the_children_that_live() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in cpu.tree(os.getpid())
        until_s = time.monotonic() + 10
        while cpu.resident_bytes(child.pid) < 1_000_000 and time.monotonic() < until_s:
            time.sleep(0.01)
        assert cpu.resident_bytes(child.pid) > 1_000_000
        child.communicate(b"\n")
    assert child.pid not in cpu.tree(os.getpid())
