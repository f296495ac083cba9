"""The speed layer against a simulated exchange and a real Kafka broker: whatever is killed, cut, doubled or reordered, the lake
ends as the batch layer alone would have made it, minute for minute. `make soak` runs the long version, 100 rounds."""

import os
import random
import subprocess
import time

import pytest

import speed_system
from conftest import PROGRAM, ROOT
from prometheus_text import scrape

DATA = str(ROOT / "data/demo")
NOW = "2024-06-20T23:40:10Z"  # across a day's turn
ROUNDS = int(os.environ.get("ROUNDS", "4"))
SEED = int(os.environ.get("SEED", "7"))
SPEED = 60


def floor_minute(ms):
    return ms // 60_000 * 60_000


@pytest.fixture
def broker(tmp_path):
    if not speed_system.have_broker():
        pytest.skip("no Java, or neither Kafka nor Maven: scripts/kafka says what is needed")
    with speed_system.Broker(tmp_path / "kafka") as running:
        yield running


def test_kills_cuts_duplicates_and_reordering_leave_the_batch_layers_lake(tmp_path, broker):
    dice = random.Random(SEED)
    with (speed_system.Sim(PROGRAM, DATA, NOW, SPEED, "--stream-faults", "0.02", "--seed", SEED) as sim,
          speed_system.SpeedSystem(PROGRAM, tmp_path, sim, broker) as system):
        begin = floor_minute(sim.now_ms()) + 60_000
        producer, consumer = system.producer().start(), system.consumer().start()
        begin = system.wait_until_stored(begin)
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(0.5, 3))
            assert not producer.ended() and not consumer.ended(), f"ended by itself; see {system.log.name}"
            victim = dice.choice(["producer", "consumer", "both", "broker"])
            if victim in ("producer", "both"):
                producer.kill()
            if victim in ("consumer", "both"):
                consumer.kill()
            if victim == "broker":
                broker.run("kill")
            time.sleep(dice.uniform(0, 2))
            if victim == "broker":
                broker.run("start")
            assert not producer.ended() and not consumer.ended(), f"ended by itself; see {system.log.name}"
            if not producer.alive():
                producer.start()
            if not consumer.alive():
                consumer.start()
        end = floor_minute(sim.now_ms()) - 3 * 60_000
        # Two minutes more, so that whatever was missed has been fetched as well.
        system.wait_until_stored(end + 5 * 60_000)
        time.sleep(4)
        assert producer.stop() == 0
        time.sleep(2)
        assert consumer.stop() == 0
        assert system.compare(begin, end) > 0


def test_members_of_a_group_that_join_and_leave_lose_and_double_nothing(tmp_path, broker):
    with speed_system.Sim(PROGRAM, DATA, NOW, SPEED) as sim, speed_system.SpeedSystem(PROGRAM, tmp_path, sim, broker) as system:
        begin = floor_minute(sim.now_ms()) + 60_000
        producer = system.producer().start()
        first, second = system.consumer().start(), system.consumer()
        begin = system.wait_until_stored(begin)
        for _ in range(2):
            second.start()
            time.sleep(2)
            assert first.stop() == 0
            time.sleep(1)
            first, second = second, system.consumer()
        end = floor_minute(sim.now_ms())
        system.wait_until_stored(end + 60_000)
        time.sleep(2)
        assert producer.stop() == 0
        assert first.stop() == 0
        assert system.compare(begin, end) > 0


def test_consume_once_reads_all_prints_the_days_and_says_the_same_again(tmp_path, broker):
    import json

    with speed_system.Sim(PROGRAM, DATA, NOW, SPEED) as sim, speed_system.SpeedSystem(PROGRAM, tmp_path, sim, broker) as system:
        producer = system.producer().start()
        time.sleep(8)
        assert producer.stop() == 0
        once = ["consume", "--once", "--brokers", broker.address, "--json"]
        first = json.loads(system.run(*once))
        assert first["minutes_added"] > 0 and first["rejected"] == {}
        assert {d["symbol"] for d in first["days"]} == {"BTCUSDT", "ETHUSDT"}
        second = json.loads(system.run(*once))
        assert second["messages"] == first["messages"] and second["minutes_added"] == 0


def test_how_long_delivery_and_storing_took_is_told_to_prometheus(tmp_path, broker):
    ports = [speed_system.free_port() for _ in range(2)]
    with speed_system.Sim(PROGRAM, DATA, NOW, SPEED) as sim, speed_system.SpeedSystem(PROGRAM, tmp_path, sim, broker) as system:
        producer = system.producer("--metrics-port", ports[0]).start()
        consumer = system.consumer("--metrics-port", ports[1]).start()
        system.wait_until_stored(floor_minute(sim.now_ms()) + 120_000)
        produced, consumed = (scrape(f"http://127.0.0.1:{port}/metrics") for port in ports)
        assert 0 < produced("chandler_delivery_seconds_count") <= produced("chandler_messages_total")
        assert produced("chandler_delivery_seconds_sum") > 0 == produced("chandler_storing_seconds_count")
        # From the producer's receipt, which travels with the message.
        assert 0 < consumed("chandler_storing_seconds_count") <= consumed("chandler_closed_minutes_total")
        assert consumed("chandler_storing_seconds_sum") > 0 < consumed("chandler_commit_seconds_count")
        assert producer.stop() == 0 and consumer.stop() == 0


def test_live_without_a_broker_survives_cuts_and_kills(tmp_path):
    with (speed_system.Sim(PROGRAM, DATA, NOW, SPEED, "--stream-faults", "0.02", "--seed", "3") as sim,
          speed_system.SpeedSystem(PROGRAM, tmp_path, sim) as system):
        begin = floor_minute(sim.now_ms()) + 60_000
        live = system.live().start()
        begin = system.wait_until_stored(begin)
        for _ in range(2):
            time.sleep(3)
            live.kill()
            time.sleep(1)
            live.start()
        # A batch job runs beside it.
        system.run("backfill", "BTCUSDT", "--since", "2024-06-19", "--until", "2024-06-19", "--source", "rest", "--rest-url", sim.url)
        end = floor_minute(sim.now_ms())
        system.wait_until_stored(end + 5 * 60_000)
        time.sleep(4)
        assert live.stop() == 0
        assert system.compare(begin, end) > 0


def test_an_hour_of_market_with_a_cut_every_five_minutes_lacks_no_minute(tmp_path):
    with (speed_system.Sim(PROGRAM, DATA, NOW, SPEED, "--stream-life", "300") as sim,
          speed_system.SpeedSystem(PROGRAM, tmp_path, sim) as system):
        live = system.live().start()
        begin = system.wait_until_stored(floor_minute(sim.now_ms()) + 60_000)
        end = begin + 60 * 60_000
        system.wait_until_stored(end + 2 * 60_000)
        time.sleep(3)
        assert live.stop() == 0
        assert system.compare(begin, end) == 60 * len(system.symbols)


def test_no_broker_is_named_and_exits_with_3(tmp_path):
    with speed_system.Sim(PROGRAM, DATA, NOW, 1) as sim, speed_system.SpeedSystem(PROGRAM, tmp_path, sim) as system:
        port = speed_system.free_port()
        system.run("consume", "--once", "--brokers", f"127.0.0.1:{port}", check=(3,))


def test_a_symbol_that_the_exchange_does_not_list_is_named_at_the_start(tmp_path):
    with speed_system.Sim(PROGRAM, DATA, NOW, 1) as sim:
        for command in (["live"], ["produce", "--brokers", "127.0.0.1:1"]):
            done = subprocess.run([PROGRAM, *command, "BTCUSDT", "ETHUSD", "--stream-url", sim.stream_url, "--rest-url", sim.url, "--lake",
                                   str(tmp_path / "lake")], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
            assert done.returncode == 2
            assert "unknown symbol ETHUSD; did you mean ETHUSDT" in done.stderr and "BTCUSDT" not in done.stderr
