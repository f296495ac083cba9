"""Every command on a lake in an object store, beside the same commands on a disk: the same bytes, few requests, no harm
from a store that fails."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from exchange_double import DAY
from object_store import BUCKET, ObjectStore
from program import PROGRAM, Chandler

MAY_1 = 1714521600000  # 2024-05-01T00:00Z
SYMBOLS = ("BTCUSDT", "ETHUSDT")


class RemoteLake(Chandler):
    """The program on a prefix of the bucket."""

    def __init__(self, store, prefix, cwd):
        super().__init__(cwd, cwd)
        self.store, self.prefix, self.lake = store, prefix, f"s3://{BUCKET}/{prefix}"
        self.environment = dict(store.environment)

    def arguments(self, *arguments):
        return [PROGRAM, *map(str, arguments), "--lake", self.lake]

    def start(self, *arguments, env=None):
        return subprocess.Popen(self.arguments(*arguments), cwd=self.cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env={**os.environ, **self.environment, **(env or {})})

    def __call__(self, *arguments, check=None, timeout=120, env=None):
        from program import Outcome

        done = subprocess.run(self.arguments(*arguments), cwd=self.cwd, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env={**os.environ, **self.environment, **(env or {})})
        outcome = Outcome(done)
        if check is not None:
            assert outcome.code == check, f"exit {outcome.code}, wanted {check}\n{outcome.out}\n{outcome.err}"
        return outcome

    def files(self):
        return self.store.files(self.prefix)


@pytest.fixture(scope="module")
def store():
    with ObjectStore(page=3) as running:
        yield running


@pytest.fixture
def remote(store, tmp_path, request):
    store.fail()
    yield RemoteLake(store, re.sub(r"\W+", "-", request.node.name), tmp_path)
    store.fail()


def history(path, days=150, seed=5):
    """Minutes as a history file has them, with a hole and a day missing."""
    rng, price, start = random.Random(seed), 100.0, MAY_1 // 1000
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Timestamp", "Open", "High", "Low", "Close", "Volume"])
        for minute in range(days * 1440):
            if 40 * 1440 <= minute < 41 * 1440 or 7000 <= minute < 7300:
                continue
            price *= 1 + rng.gauss(0, 0.001)
            out.writerow([start + minute * 60, f"{price:.2f}", f"{price * 1.001:.2f}", f"{price * 0.999:.2f}", f"{price:.2f}", f"{rng.random():.4f}"])
    return path


def backfill(lake, exchange, days=3):
    return lake("backfill", *SYMBOLS, "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest", check=0)


def filled(exchange, days=3):
    for symbol in SYMBOLS:
        exchange.add_days(symbol, MAY_1, days)
    exchange.now = MAY_1 + days * DAY


def test_every_command_leaves_and_says_what_it_does_on_a_disk(chandler, remote, exchange, tmp_path):
    filled(exchange)
    file = history(tmp_path / "history.csv")
    answers = {}
    for lake in (chandler, remote):
        backfill(lake, exchange)
        lake("import", file, "--symbol", "OLDBTC", check=0)
        backfill(lake, exchange)  # nothing is new
        lake("build", check=0)
        said = answers[lake is remote] = []
        for command in (["candles", "BTCUSDT", "--interval", "4h", "--format", "csv"], ["candles", "OLDBTC", "--interval", "1M"],
                        ["status", "--json"], ["verify", "--json"], ["merge", "--json"]):
            out = lake(*command, check=0).out.replace(str(lake.lake), "LAKE")
            said.append(re.sub(r'"duration_seconds":[0-9.e-]+', "", out))
        lake("report", "--quiet", check=0, timeout=300)
    assert answers[True] == answers[False]
    local, there = chandler.files(), remote.files()
    assert set(there) == set(local) and len(there) == 17
    assert [path for path in local if there[path] != local[path]] == []
    reports = sorted(str(p.relative_to(chandler.lake)) for p in (chandler.lake / "reports").rglob("*") if p.is_file())
    assert reports and [k.removeprefix(remote.prefix + "/") for k in remote.store.keys(remote.prefix) if "/reports/" in k] == reports
    assert not [key for key in remote.store.keys(remote.prefix) if "/." in key]  # no lock stays


def test_forecasts_are_saved_and_served(chandler, remote, tmp_path):
    file, rng, price = tmp_path / "days.csv", random.Random(2), 100.0
    with open(file, "w", newline="") as days:
        out = csv.writer(days)
        out.writerow(["Timestamp", "Open", "High", "Low", "Close", "Volume"])
        for day in range(300):
            price *= 1 + rng.gauss(0, 0.02)
            out.writerow([MAY_1 // 1000 + day * 86400, price, price, price, price, 1])
    for lake in (chandler, remote):
        lake("import", file, "--symbol", "OLDBTC", "--interval", "1d", "--quiet", check=0)
        lake("forecast", "OLDBTC", "--model", "naive,ets", "--horizon", "7d", "--no-plots", "--json", check=0, timeout=300)
    names = {re.sub(r"run=[^/]*", "run", path) for path in remote.files()}
    assert names == {re.sub(r"run=[^/]*", "run", path) for path in chandler.files()}
    assert any("forecast.parquet" in name for name in names)

    server = remote.start("serve", "--port", "0", "--json")
    try:
        url = json.loads(server.stdout.readline())["url"]

        def get(path):
            with urllib.request.urlopen(url + path, timeout=30) as reply:
                return json.load(reply)

        assert get("/api/v1/forecasts")["runs"][0]["symbols"] == ["OLDBTC"]
        # The server looks for changes with one listing at a time and reads nothing that it has not been asked for.
        time.sleep(1)
        remote.store.clear()
        time.sleep(4)
        asked = remote.store.requests()
        assert {method for method, _, _ in asked} == {"GET"} and all("list-type=2" in query for _, _, query in asked)
        # Readers are not kept out by a writer, nor the writer by them.
        remote("build", check=0)
        assert get("/api/v1/forecasts")["runs"]
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) in (0, 130)


def test_no_file_is_asked_about_singly(remote, tmp_path):
    remote("import", history(tmp_path / "history.csv"), "--symbol", "OLDBTC", "--quiet", check=0)
    months = len([key for key in remote.store.keys(remote.prefix) if "/klines_1m/" in key])
    assert months == 5
    pages = lambda files: -(-files // remote.store_page)  # noqa: E731
    remote.store_page = 3
    remote.store.clear()
    remote("status", check=0)
    asked = remote.store.requests()
    assert not [entry for entry in asked if entry[0] == "HEAD"]
    reads = [path for method, path, query in asked if path.endswith(".parquet")]
    holey = 2  # May has a hole of five hours, June lacks a day: their times are read, too
    assert len(reads) <= 3 * months, (holey, reads)
    lists = [query for _, _, query in asked if "list-type=2" in query]
    assert len(lists) <= 5 * (1 + pages(months)), "\n".join(sorted(lists))

    def build():
        remote.store.clear()
        remote("build", check=0)
        asked = remote.store.requests()
        assert not [entry for entry in asked if entry[0] in ("HEAD", "DELETE") and entry[1].endswith(".parquet")]
        return [sorted(path.split("/", 3)[3] for method, path, _ in asked if method == verb and path.endswith(".parquet"))
                for verb in ("GET", "PUT")]

    files = sorted(remote.files())
    minutes, days = ([path for path in files if path.startswith(table)] for table in ("klines_1m/", "daily_filled/"))
    prophet = ["prophet_input/symbol=OLDBTC/part.parquet"]
    assert files == sorted(minutes + days + prophet) and len(days) == months
    # A month: its footer, and the days that are stored, to compare them with. What is not there is not asked for.
    assert build() == [sorted(minutes + days + prophet), []]
    client = remote.store.client()
    for path in days + prophet:
        client.delete_object(Bucket=BUCKET, Key=f"{remote.prefix}/{path}")
    assert build() == [sorted(minutes + prophet), sorted(days + prophet)]


def test_a_command_for_one_symbol_reads_nothing_of_another(remote, exchange, tmp_path):
    filled(exchange)
    backfill(remote, exchange)
    most_lists = {"status": 4}  # its own tables; the others look first whether there is such a symbol
    for command in (["status"], ["verify"], ["report", "--no-plots", "-o", tmp_path / "report"], ["candles"], ["build"],
                    ["forecast", "--model", "naive", "--horizon", "1d", "--no-plots"]):
        remote.store.clear()
        remote(*command, SYMBOLS[0], timeout=300)
        asked = remote.store.requests()
        assert [path for method, path, _ in asked if SYMBOLS[0] in path], command
        assert [entry for entry in asked if SYMBOLS[1] in entry[1] + entry[2]] == [], command
        lists = [query for _, _, query in asked if "list-type=2" in query]
        assert len(lists) <= most_lists.get(command[0], 20), "\n".join(lists)


@pytest.mark.parametrize("kinds", [["500", "503"], ["lost"], ["cut"], ["hang"]])
def test_a_store_that_fails_now_and_then_changes_nothing(chandler, remote, tmp_path, kinds):
    file = history(tmp_path / "history.csv", days=35)
    chandler("import", file, "--symbol", "OLDBTC", "--quiet", check=0)
    hang = kinds == ["hang"]
    remote.store.fail(rate=0.05 if hang else 0.25, kinds=kinds, seed=7, wait=4)
    slow = {"CHANDLER_S3_TIMEOUT": "12"}  # a sixth of that without a byte, and the request is begun again
    remote("import", file, "--symbol", "OLDBTC", "--quiet", check=0, env=slow, timeout=300)
    remote("build", check=0, env=slow, timeout=300)
    assert "every invariant holds" in remote("verify", check=0, env=slow, timeout=300).out
    remote.store.fail()
    assert remote.files() == chandler.files()


def test_a_store_that_fails_for_good_ends_in_time_with_the_old_files_intact(remote, exchange):
    filled(exchange)
    backfill(remote, exchange)
    before = remote.files()
    remote.store.fail(rate=1.0, kinds=["503"])
    began = time.monotonic()
    done = remote("build", env={"CHANDLER_S3_TIMEOUT": "4"})
    assert done.code == 3 and time.monotonic() - began < 20
    assert "overloaded" in done.err and "try:" in done.err and "503" in done.err
    remote.store.fail()
    assert remote.files() == before


def test_a_stop_ends_a_command_that_waits_for_a_dead_store(remote):
    remote.store.fail(rate=1.0, kinds=["hang"], wait=30)
    process = remote.start("status")
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=8)
    assert process.returncode != 0


def test_two_writers_at_once_and_the_second_is_told_who_has_the_lake(remote, exchange):
    filled(exchange)
    exchange.before = lambda path, _: time.sleep(0.5) if path.endswith("/klines") else None
    first = remote.start("backfill", *SYMBOLS, "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest")
    deadline = time.monotonic() + 20
    while not [key for key in remote.store.keys(remote.prefix) if key.endswith("/.chandler.lock")]:
        assert time.monotonic() < deadline and first.poll() is None
    second = remote("build")
    assert second.code == 3 or second.code == 1
    assert "is being written by process" in second.err and "chandler backfill" in second.err and "ends by itself" in second.err
    assert remote("status").code == 0  # readers are not kept out
    assert first.wait(timeout=60) == 0, first.stderr.read()
    remote("build", check=0)


def test_a_killed_writer_leaves_whole_files_and_the_next_run_finishes(chandler, remote, exchange, tmp_path):
    filled(exchange, days=12)
    file = history(tmp_path / "history.csv")
    chandler("import", file, "--symbol", "OLDBTC", "--quiet", check=0)
    backfill(chandler, exchange)
    rng = random.Random(11)
    remote("import", file, "--symbol", "OLDBTC", "--quiet", check=0)
    for _ in range(6):
        process = remote.start("backfill", *SYMBOLS, "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest")
        time.sleep(0.05 + rng.random() * 0.6)
        process.kill()
        process.communicate()
        # What is there is whole: every file can be read, whatever is missing or to be derived again.
        report = remote("verify", "--json").json
        assert not [v for s in report["symbols"] for v in s["violations"] if "read" in v["what"] or "digest" in v["what"]]
    backfill(remote, exchange)  # at once: a process of this machine that is gone has no lock
    remote("verify", check=0)
    assert remote.files() == chandler.files()


def test_a_lock_from_another_machine_ends_with_its_lease(remote, exchange):
    filled(exchange)
    claim = {"holder": "process 7 on elsewhere (chandler build)", "token": "theirs", "lease_ms": 3000, "space": "elsewhere",
             "pid": "7", "start": "1"}
    remote.store.client().put_object(Bucket=BUCKET, Key=f"{remote.prefix}/.chandler.lock", Body=json.dumps(claim))
    refused = remote("build")
    assert refused.code != 0 and "process 7 on elsewhere" in refused.err and re.search(r"after \d+ s", refused.err)
    time.sleep(6)
    backfill(remote, exchange)


def test_what_is_wrong_is_said_with_what_to_do(remote, store):
    cases = [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3, "cannot be reached", "AWS_ENDPOINT_URL"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 2, "no credentials", "AWS_ACCESS_KEY_ID"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1"}, 2, "not an http or https address", "AWS_ENDPOINT_URL"),
        ({"AWS_PROFILE": "nobody"}, 2, "no profile 'nobody'", "AWS_PROFILE"),
        ({"CHANDLER_S3_LEASE": "soon"}, 2, "CHANDLER_S3_LEASE", "number"),
    ]
    for environment, code, what, remedy in cases:
        done = remote("status", env=environment)
        assert (done.code, what in done.err, remedy in done.err) == (code, True, True), done.err
    for lake, code, what in (("s3://no-such-bucket/lake", 3, "no bucket 'no-such-bucket'"), ("s3://", 2, "does not name a bucket")):
        other = RemoteLake(store, "x", remote.cwd)
        other.lake = lake
        for command in ("status", "build"):
            done = other(command)
            assert done.code == code and what in done.err and "try:" in done.err


def test_requests_are_signed_as_the_store_wants_and_wrong_keys_are_named(tmp_path):
    """moto checks every signature with the algorithm of Amazon's own SDK, once it is told to."""
    import boto3

    with ObjectStore() as store:
        iam = boto3.client("iam", endpoint_url=store.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
        iam.create_user(UserName="lake")
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="lake", PolicyName="all", PolicyDocument=json.dumps(allow))
        key = iam.create_access_key(UserName="lake")["AccessKey"]
        urllib.request.urlopen(urllib.request.Request(f"{store.url}/moto-api/reset-auth", data=b"0", method="POST",
                                                      headers={"Content-Type": "text/plain"})).read()
        remote = RemoteLake(store, "a b/c=d", tmp_path)
        remote.environment |= {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        file = history(tmp_path / "history.csv", days=33)
        remote("import", file, "--symbol", "OLDBTC", "--quiet", check=0)
        remote("verify", check=0)
        remote("build", check=0)
        for wrong in ({"AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}):
            done = remote("status", env=wrong)
            assert done.code == 3 and "does not accept the credentials" in done.err and "AWS_SECRET_ACCESS_KEY" in done.err
        profile = tmp_path / "credentials"
        profile.write_text(f"[lake]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n")
        remote("status", check=0, env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "lake",
                                       "AWS_SHARED_CREDENTIALS_FILE": str(profile)})


def test_the_market_is_followed_into_an_object_store(remote, chandler, exchange, tmp_path):
    filled(exchange, days=2)
    backfill(chandler, exchange)
    sim = subprocess.Popen([PROGRAM, "sim", "--data", str(chandler.lake), "--port", "0", "--now", "2024-05-02T12:00:00Z", "--speed",
                            "60", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        started = json.loads(sim.stdout.readline())
        live = remote.start("live", "BTCUSDT", "--stream-url", started["stream_url"], "--rest-url", started["url"])
        time.sleep(8)
        live.send_signal(signal.SIGTERM)
        _, error = live.communicate(timeout=10)
        assert live.returncode in (0, 130), error
    finally:
        sim.kill()
        sim.wait()
    assert [path for path in remote.files() if path.startswith("speed_1m/symbol=BTCUSDT")]
    remote("merge", check=0)
    files = remote.files()
    assert [path for path in files if path.startswith("klines_1m/symbol=BTCUSDT")]
    assert not [path for path in files if path.startswith("speed_1m/symbol=")]
    remote("verify", check=0)


def flip(content, seed):
    content = bytearray(content)
    content[random.Random(seed).randrange(len(content))] ^= 1 << seed % 8
    return bytes(content)


def test_damage_in_every_object_is_set_aside_and_healed_to_the_byte(remote, exchange):
    filled(exchange)
    backfill(remote, exchange)
    whole, client = remote.files(), remote.store.client()
    assert len(whole) == 6
    for seed, (path, content) in enumerate(whole.items()):
        client.put_object(Bucket=BUCKET, Key=f"{remote.prefix}/{path}", Body=flip(content, seed))
    remote("verify", check=1)
    heal = ("backfill", "--heal", "--rest-url", exchange.url, "--source", "rest")
    # Nothing is touched while the exchange is out of reach.
    damaged = remote.files()
    remote("backfill", "--heal", "--rest-url", "http://127.0.0.1:9", "--deadline", "2", check=3)
    assert remote.files() == damaged and not [k for k in remote.store.keys(remote.prefix) if "_quarantine" in k]
    done = remote(*heal, check=0)
    for path in whole:
        assert f"{path}\n" in done.out and f"set aside as _quarantine/{path}.1" in done.out
    assert remote.files() == whole
    remote("verify", check=0)
    aside = [k.removeprefix(remote.prefix + "/") for k in remote.store.keys(remote.prefix) if "_quarantine" in k]
    assert sorted(aside) == sorted(f"_quarantine/{path}.1" for path in whole)
    for path in whole:
        held = client.get_object(Bucket=BUCKET, Key=f"{remote.prefix}/_quarantine/{path}.1")["Body"].read()
        assert held == damaged[path]  # set aside as it was
    again = remote(*heal, "--json", check=0).json
    assert again["healed"]["set_aside"] == [] and again["nothing_to_do"]


def test_a_heal_that_the_store_fails_in_the_middle_of_goes_on_with_the_next(remote, exchange):
    filled(exchange)
    backfill(remote, exchange)
    whole, client = remote.files(), remote.store.client()
    for seed, (path, content) in enumerate(whole.items()):
        if path.startswith("klines_1m"):
            client.put_object(Bucket=BUCKET, Key=f"{remote.prefix}/{path}", Body=flip(content, seed))
    heal = ("backfill", "--heal", "--rest-url", exchange.url, "--source", "rest")
    codes = []
    for seed in range(6):
        remote.store.fail(rate=0.5, kinds=["500", "lost", "cut"], seed=seed)
        codes.append(remote(*heal, env={"CHANDLER_S3_TIMEOUT": "1"}).code)
    remote.store.fail()
    assert set(codes) <= {0, 1, 3}
    remote(*heal, check=0)
    assert remote.files() == whole
    remote("verify", check=0)


@pytest.mark.parametrize("command", [["live", "BTCUSDT"], ["backfill", "BTCUSDT", "--since", "2024-05-01", "--source", "rest"], ["build"]])
def test_a_stop_while_the_store_does_not_answer(remote, exchange, chandler, command):
    filled(exchange)
    backfill(remote, exchange, days=2)
    backfill(chandler, exchange, days=2)
    sim = subprocess.Popen([PROGRAM, "sim", "--data", str(chandler.lake), "--port", "0", "--now", "2024-05-02T12:00:00Z", "--speed",
                            "60", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        started = json.loads(sim.stdout.readline())
        urls = ["--rest-url", started["url"]] if command[0] != "build" else []
        if command[0] == "live":
            urls += ["--stream-url", started["stream_url"], "--trigger", "500ms"]
            process = remote.start(*command, *urls)
            time.sleep(4)
        remote.store.fail(rate=1.0, kinds=["hang"], wait=30)
        if command[0] != "live":
            process = remote.start(*command, *urls)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=5.5)  # the contract, and what asking costs
        assert process.returncode in (1, 3, 130), said
    finally:
        sim.kill()
        sim.wait()
        remote.store.fail()
    remote("verify", check=0)
