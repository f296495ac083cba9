"""deploy/compose.yaml without containers: its settings go through the image's own wrapper (it is in Kafka's jar) to a real broker."""

import json
import os
import subprocess
import time

import pytest
import yaml

import speed_system
from conftest import PROGRAM, ROOT

LIBRARIES = ROOT / ".deps/kafka/libs"
# What the image's start script sets where compose.yaml does not (apache/kafka, docker/resources/common-scripts/configureDefaults).
IMAGE = {"CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw", "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT", "KAFKA_LOG_DIRS": "/tmp/kraft-combined-logs"}


def java(*arguments):
    return ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBRARIES}/*", *map(str, arguments)]


@pytest.fixture
def service():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    (service,) = compose["services"].values()
    for mount in service["volumes"]:
        assert mount.split(":")[0] in compose["volumes"]
    return service


def test_the_brokers_data_is_in_the_volume_and_its_port_where_chandler_looks(service):
    settings = {**IMAGE, **service["environment"]}
    assert settings["KAFKA_LOG_DIRS"] in [mount.split(":")[1] for mount in service["volumes"]]
    host, outside, inside = service["ports"][0].split(":")
    assert host == "127.0.0.1" and f"PLAINTEXT://:{inside}" in settings["KAFKA_LISTENERS"].split(",")
    assert settings["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://localhost:{outside}"
    shown = subprocess.run([PROGRAM, "consume", "--help"], capture_output=True, text=True, check=True).stdout
    assert f"localhost:{outside}" in shown


def test_a_broker_with_these_settings_starts_takes_events_and_keeps_them_over_a_restart(service, tmp_path):
    if not speed_system.have_broker() or not LIBRARIES.exists():
        pytest.skip("no Java or no Kafka: scripts/kafka says what is needed")
    port = speed_system.broker_port()
    ports = {"9092": str(port), "9093": str(port + 10_000)}
    settings = {}
    for name, value in {**IMAGE, **service["environment"]}.items():
        value = str(value)
        for inside, ours in ports.items():
            value = value.replace(f":{inside}", f":{ours}")
        settings[name] = value
    settings["KAFKA_LOG_DIRS"] = str(tmp_path / "data")
    folders = [tmp_path / name for name in ("default", "mounted", "final")]
    for folder in folders:
        folder.mkdir()
    flags = [part for folder in folders for part in (f"--{folder.name}-configs-dir", folder)]
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("KAFKA_")}, **settings}
    once = ["consume", "--once", "--brokers", f"localhost:{port}", "--lake", tmp_path / "lake", "--json"]

    def start(log):
        done = subprocess.run(java("kafka.docker.KafkaDockerWrapper", "setup", *flags), env=environment, capture_output=True, text=True)
        assert done.returncode == 0 or "already formatted" in done.stdout + done.stderr, done.stdout + done.stderr
        return subprocess.Popen(java("kafka.Kafka", folders[2] / "server.properties"), stdout=log, stderr=log)

    with (open(tmp_path / "broker.log", "ab") as log,
          speed_system.Sim(PROGRAM, str(ROOT / "data/demo"), "2024-06-20T23:40:10Z", 60) as sim):
        broker = start(log)
        try:
            producer = subprocess.Popen([PROGRAM, "produce", "BTCUSDT", "--brokers", f"localhost:{port}", "--stream-url", sim.stream_url,
                                         "--rest-url", sim.url, "--lake", tmp_path / "none", "--json"], stdout=subprocess.PIPE, text=True)
            time.sleep(12)
            producer.terminate()
            report = json.loads(producer.communicate(timeout=60)[0])
            assert producer.returncode == 0 and report["published"] > 0
            broker.terminate()
            broker.wait(60)
            broker = start(log)
            consumed = json.loads(subprocess.run([PROGRAM, *map(str, once)], check=True, capture_output=True, text=True).stdout)
            assert consumed["messages"] == report["published"] and consumed["minutes_added"] > 0
        finally:
            broker.kill()
            broker.wait()
