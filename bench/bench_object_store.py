"""`build` and `build --reread` on a lake in an object store beside the same lake on a disk, in one run, with the results compared
byte for byte.

The server runs on the same cores, so its own work counts against us. Printed beside ours are its processor time, and what it takes
for the same requests when a client does nothing with them (curl, 16 at once): no client can be faster than that. Measured against
versitygw where it is installed, and against moto, the tests' server, which is in Python and mostly measures itself.
CHANDLER_BENCH_ROWS sets the rows of each of the symbols, CHANDLER_BENCH_REPEATS how often each is run.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.parse

import generate
from measure import PROGRAM, ROOT, WORK, best, run
from s3_server import Versitygw

sys.path.insert(0, str(ROOT / "tests"))
from object_store import BUCKET, ObjectStore  # noqa: E402

ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 1_500_000))
REPEATS = int(os.environ.get("CHANDLER_BENCH_REPEATS", 5))
SYMBOLS = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"]
DERIVED = ("daily_filled", "prophet_input")
FOOTER = 16 << 10
LOCAL = WORK / "object-store-lake"
REMOTE = f"s3://{BUCKET}/lake"
VARIANTS = {"build": [], "build --reread": ["--reread"]}


class Moto(ObjectStore):
    name = "moto"
    cpu = Versitygw.cpu


def keys(store) -> list[str]:
    pages = store.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="lake/")
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def asked_for(variant: list[str]) -> list:
    """The requests of a run, as moto counts them: [(method, path, query)]."""
    with Moto() as store:
        os.environ.update(store.environment)
        fill(store)
        store.clear()
        best(1, lambda: None, PROGRAM, "--lake", REMOTE, "build", *variant)
        return store.requests()


def fill(store) -> None:
    client = store.client()
    for path in sorted(LOCAL.rglob("*.parquet")):
        if path.relative_to(LOCAL).parts[0] not in DERIVED:
            client.put_object(Bucket=BUCKET, Key=f"lake/{path.relative_to(LOCAL)}", Body=path.read_bytes())


def clear_remote(store) -> None:
    client = store.client()
    for key in keys(store):
        if key.split("/")[1] in DERIVED:
            client.delete_object(Bucket=BUCKET, Key=key)


def clear_local() -> None:
    for table in DERIVED:
        shutil.rmtree(LOCAL / table, ignore_errors=True)


def floor(store, requests: list) -> float:
    """Seconds for the same files, read and written by one curl with 16 connections."""
    seen, stanzas = set(), []
    for method, path, query in requests:
        if not path.endswith(".parquet"):
            continue
        url = f'url = "{store.url}{urllib.parse.quote(path)}"\noutput = /dev/null\n'
        file = LOCAL / path.removeprefix(f"/{BUCKET}/lake/")
        if method == "PUT":
            stanzas.append(url + f'upload-file = "{file}"\n')
        elif method == "GET" and path not in seen:  # the footer first
            stanzas.append(url + f"range = -{FOOTER}\n")
        elif method == "GET":
            stanzas.append(url)
        seen.add(path)
    common = 'aws-sigv4 = "aws:amz:us-east-1:s3"\nuser = "test:secret"\nheader = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\nsilent\nfail\n'
    config = WORK / "requests.curl"
    config.write_text("next\n".join(common + stanza for stanza in stanzas))
    times = []
    for _ in range(REPEATS):
        begin = time.monotonic()
        subprocess.run(["curl", "--parallel", "--parallel-max", "16", "--config", config], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
    return min(times)


def compare(store) -> int:
    here = {f"lake/{path.relative_to(LOCAL)}": path.read_bytes() for path in LOCAL.rglob("*.parquet")}
    client = store.client()
    there = {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(store) if key.endswith(".parquet")}
    if there != here:
        raise SystemExit("the two lakes differ")
    return len(here)


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(LOCAL, ignore_errors=True)
    for seed, symbol in enumerate(SYMBOLS):
        file = WORK / f"{symbol}.csv"
        generate.write_history(file, ROWS, seed)
        best(1, lambda: None, PROGRAM, "--lake", LOCAL, "import", file, "--symbol", file.stem)
        file.unlink()
    requests = {name: asked_for(variant) for name, variant in VARIANTS.items()}
    on_disk = {name: best(REPEATS, clear_local, PROGRAM, "--lake", LOCAL, "build", *variant) for name, variant in VARIANTS.items()}
    print(f"\n{ROWS * len(SYMBOLS) / 1e6:.1f} million minutes of {len(SYMBOLS)} symbols")
    for name, disk in on_disk.items():
        print(f"  {name:14} on a disk     {disk}")
    for server in (Versitygw, Moto):
        if server is Versitygw and not Versitygw.is_there():
            print("  (scripts/setup bench-s3 installs versitygw, a faster server to measure against)")
            continue
        with server() as store:
            os.environ.update(store.environment)
            fill(store)
            for name, variant in VARIANTS.items():
                runs = []
                for _ in range(REPEATS):
                    clear_remote(store)
                    before = store.cpu()
                    runs.append((run(PROGRAM, "--lake", REMOTE, "build", *variant), store.cpu() - before))
                cost, of_server = min(runs, key=lambda pair: pair[0].wall)
                files = compare(store)
                alone = floor(store, requests[name])
                disk = on_disk[name]
                print(f"  {name:14} in {store.name:10} {cost}  {cost.wall / disk.wall:.2f}x the time of the disk (goal: 2x), "
                      f"{cost.wall / alone:.2f}x of what the server takes alone ({alone:.2f} s); "
                      f"cpu {cost.cpu / disk.cpu:.2f}x of the disk, beside {of_server:.2f} s of the server")
    for name, asked in requests.items():
        kinds = {"lists": ("GET", True), "reads": ("GET", False), "writes": ("PUT", False), "heads": ("HEAD", False)}
        print(f"  {name:14} {files} files: " + ", ".join(
            f"{sum(1 for method, _, query in asked if (method, bool(query)) == key)} {kind}" for kind, key in kinds.items()))


if __name__ == "__main__":
    main()
