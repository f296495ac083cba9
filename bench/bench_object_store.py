"""`build` on a lake in an object store beside the same lake on a disk, in one run, with the results compared byte for byte.

The server is moto's, in Python and on the same cores, so the store's own work counts against us; what the server alone takes
for the same requests is printed beside it. CHANDLER_BENCH_ROWS sets the rows of each of the two symbols,
CHANDLER_BENCH_REPEATS how often each is run.
"""

import concurrent.futures
import http.client
import os
import shutil
import sys
import time
import urllib.parse

import generate
from measure import PROGRAM, ROOT, WORK, best

sys.path.insert(0, str(ROOT / "tests"))
from object_store import BUCKET, ObjectStore  # noqa: E402

ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 1_500_000))
REPEATS = int(os.environ.get("CHANDLER_BENCH_REPEATS", 3))
SYMBOLS = ["BTCUSDT", "ETHUSDT"]


def repeated(url: str, requests: list) -> float:
    """Seconds that the reads of a run take when nobody does anything with them, 16 at once."""
    def work(paths):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        for path in paths:
            connection.request("GET", path)
            connection.getresponse().read()

    paths = [urllib.parse.quote(path) + (f"?{query}" if query else "") for method, path, query in requests if method == "GET"]
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, [paths[i::16] for i in range(16)]))
    return time.monotonic() - begin


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    local = WORK / "object-store-lake"
    shutil.rmtree(local, ignore_errors=True)
    for seed, symbol in enumerate(SYMBOLS):
        file = WORK / f"{symbol}.csv"
        generate.write_history(file, ROWS, seed)
        best(1, lambda: None, PROGRAM, "--lake", local, "import", file, "--symbol", file.stem)
    derived = ("daily_filled", "prophet_input")
    with ObjectStore() as store:
        os.environ.update(store.environment)
        client = store.client()
        for path in sorted(local.rglob("*.parquet")):
            client.put_object(Bucket=BUCKET, Key=f"lake/{path.relative_to(local)}", Body=path.read_bytes())

        def clear_remote() -> None:
            for key in store.keys("lake"):
                if key.split("/")[1] in derived:
                    client.delete_object(Bucket=BUCKET, Key=key)
            store.clear()

        def clear_local() -> None:
            for table in derived:
                shutil.rmtree(local / table, ignore_errors=True)

        on_disk = best(REPEATS, clear_local, PROGRAM, "--lake", local, "build")
        in_store = best(REPEATS, clear_remote, PROGRAM, "--lake", f"s3://{BUCKET}/lake", "build")
        asked = store.requests()
        server = repeated(store.url, asked)
        here = {str(p.relative_to(local)): p.read_bytes() for p in local.rglob("*.parquet")}
        if store.files("lake") != here:
            raise SystemExit("the two lakes differ")
    kinds = {kind: sum(1 for method, _, query in asked if (method, bool(query)) == key)
             for kind, key in {"lists": ("GET", True), "reads": ("GET", False), "writes": ("PUT", False), "heads": ("HEAD", False)}.items()}
    print(f"\nbuild of {ROWS * len(SYMBOLS) / 1e6:.1f} million minutes, {len(here)} files")
    print(f"  on a disk           {on_disk}")
    print(f"  in an object store  {in_store}  {in_store.wall / on_disk.wall:.2f}x the time (goal: 2x), "
          f"{in_store.cpu / on_disk.cpu:.2f}x the processor time")
    print(f"  the server alone    {server:7.2f} s wall for the same reads, {server / on_disk.wall:.2f}x")
    print("  " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))


if __name__ == "__main__":
    main()
