"""`doctor` beside a simulated exchange: what is fine is called fine, and each thing that is broken is named with its remedy."""

import fcntl
import os
import socket
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim"))
from sim_process import Sim  # noqa: E402

MOCK_BROKER = ("--brokers", "127.0.0.1:9", "--kafka-property", "test.mock.num.brokers=2")


@pytest.fixture(scope="module")
def sim():
    with Sim("--now", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())) as running:
        yield running


def urls(sim):
    return "--rest-url", sim.url, "--archive-url", sim.about["archive_url"], "--stream-url", sim.stream_url


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def checks(outcome):
    return {check["check"]: check for check in outcome.json["checks"]}


def states(outcome):
    return {name: check["state"] for name, check in checks(outcome).items()}


def test_everything_is_fine(chandler, sim):
    chandler.lake.mkdir()
    outcome = chandler("doctor", "--json", *urls(sim), *MOCK_BROKER, check=0)
    found = states(outcome)
    found.pop("clock")  # the simulator's began when it was started, which may take its time
    assert found == dict.fromkeys(["versions", "configuration", "lake", "disk", "writer", "unfinished", "exchange", "archive",
                                   "stream", "broker"], "ok")
    assert "2 in the cluster" in checks(outcome)["broker"]["found"]
    assert outcome.json["libraries"]["Arrow"] and outcome.json["version"]
    assert list(chandler.lake.iterdir()) == []


def test_the_skew_of_the_clock_is_what_another_client_measures(chandler):
    with Sim("--now", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))) as ahead:
        outcome = chandler("doctor", "--json", *urls(ahead), check=0)
        skew = ahead.get("/api/v3/time")["serverTime"] - time.time() * 1000
    clock = checks(outcome)["clock"]
    assert clock["state"] == outcome.json["state"] == "warn" and "NTP" in clock["remedy"]
    told, _, direction = clock["found"].split()[:3]
    assert direction == "behind" and abs(int(told) - skew) < 1000


def test_the_table_has_a_line_for_each_check_and_then_the_remedies(chandler, sim):
    outcome = chandler("doctor", *urls(sim), check=0)
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["state", "check", "where", "found"]
    column = lines[0].index("check")
    rows = lines[1:lines.index("")]
    assert [row[column:].split()[0] for row in rows] == ["versions", "configuration", "lake", "disk", "exchange", "clock",
                                                         "archive", "stream"]
    assert {row[:column].strip() for row in rows} <= {"ok", "warn"} and "\x1b" not in outcome.out
    assert any(line.startswith("lake: `chandler backfill") for line in lines)


def test_an_exchange_that_is_gone_is_named_with_a_remedy(chandler):
    with Sim() as gone:
        addresses = urls(gone)
    outcome = chandler("doctor", "--json", *addresses, check=3)
    for name in ("exchange", "archive", "stream"):
        check = checks(outcome)[name]
        assert check["state"] == "fail" and check["found"] and check["remedy"], check
        assert check["where"].split("://")[1].startswith(addresses[1].split("://")[1])
    assert "clock" not in checks(outcome)


def test_an_exchange_that_never_answers_costs_seconds(chandler):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "127.0.0.1:%d" % silent.getsockname()[1]
        outcome = chandler("doctor", "--json", "--rest-url", f"http://{address}", "--archive-url", f"http://{address}",
                           "--stream-url", f"ws://{address}", "--brokers", address, check=3, timeout=30)
    assert {name for name, state in states(outcome).items() if state == "fail"} == {"exchange", "archive", "stream", "broker"}


def test_binances_own_archive_is_not_asked_for_another_exchanges_history(chandler, sim):
    outcome = chandler("doctor", "--json", "--rest-url", sim.url, "--stream-url", sim.stream_url, check=0)
    assert "archive" not in checks(outcome)


def test_a_broker_that_is_gone_fails_with_3(chandler, sim):
    broker = checks(chandler("doctor", "--json", *urls(sim), "--brokers", f"127.0.0.1:{closed_port()}", check=3))["broker"]
    assert broker["state"] == "fail" and "--brokers" in broker["remedy"]


def test_who_writes_the_lake_is_told(chandler, sim):
    chandler.lake.mkdir()
    (chandler.lake / ".left.chandler-unfinished").write_bytes(b"x" * 2048)
    with open(chandler.lake / ".chandler.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 42 on host (chandler import, since 2024-06-01T00:00:00Z)")
        lock.flush()
        outcome = chandler("doctor", "--json", *urls(sim), check=0)
        assert "process 42 on host (chandler import" in checks(outcome)["writer"]["found"]
        assert states(outcome)["writer"] == "warn" and states(outcome)["unfinished"] == "ok"
    killed = chandler("doctor", "--json", *urls(sim), check=0)  # it is gone, and has not said good-bye
    assert states(killed)["writer"] == "ok" and states(killed)["unfinished"] == "warn"
    assert checks(killed)["unfinished"]["found"].startswith("1 unfinished file (2.0 KiB)")
    assert len(list(chandler.lake.iterdir())) == 2


def test_what_killed_writers_left_is_gone_after_the_next_writer_as_promised(chandler, sim):
    chandler.lake.mkdir()
    (chandler.lake / ".left.chandler-unfinished").write_bytes(b"x")
    assert states(chandler("doctor", "--json", *urls(sim)))["unfinished"] == "warn"
    chandler("backfill", "BTCUSDT", *urls(sim)[:4], "--since", "2024-06-01", "--until", "2024-06-01")
    assert states(chandler("doctor", "--json", *urls(sim), check=0))["unfinished"] == "ok"


def test_a_lake_that_is_not_there_is_a_warning_and_is_not_made(chandler, sim):
    outcome = chandler("doctor", "--json", *urls(sim), check=0)
    assert states(outcome)["lake"] == "warn" and "backfill" in checks(outcome)["lake"]["remedy"]
    assert not chandler.lake.exists()


# Folders in which not even root may make a file.
@pytest.mark.parametrize("lake, what", [("/proc/fs", "cannot be written"), ("/proc/fs/lake", "cannot be made")])
def test_a_lake_that_cannot_be_written_fails_with_3(chandler, sim, lake, what):
    chandler.lake = lake
    check = checks(chandler("doctor", "--json", *urls(sim), check=3))["lake"]
    assert check["state"] == "fail" and check["found"].startswith(what) and check["remedy"]


def test_a_lake_that_is_a_file_fails(chandler, sim):
    chandler.lake.write_text("no folder")
    check = checks(chandler("doctor", "--json", *urls(sim), check=1))["lake"]
    assert check["state"] == "fail" and "is a file" in check["found"]


def test_the_configuration_that_was_read_is_named(chandler, sim, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'rest-url = "{sim.url}"\n[doctor]\nstream-url = "{sim.stream_url}"\n')
    outcome = chandler("doctor", "--json", "--config", file, check=0)
    assert checks(outcome)["configuration"]["where"] == str(file)
    assert checks(outcome)["exchange"]["where"] == sim.url
    file.write_text("rest-url = \n")
    assert f"{file}:1" in chandler("doctor", "--config", file, check=2).err
