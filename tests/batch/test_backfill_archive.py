"""Backfill with the exchange's archive, the program as a whole."""

import hashlib
import io
import zipfile

from exchange_double import DAY, MINUTE

MAY_1 = 1714521600000  # 2024-05-01T00:00Z
QUICK = ["--request-timeout", "2", "--seed", "7"]


def zip_of_day(exchange, symbol, day, name):
    rows = exchange.klines[(symbol, "1m")]
    lines = "".join(",".join(map(str, rows[t])) + "\n" for t in range(day, day + DAY, MINUTE) if t in rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name + ".csv", lines)
    return packed.getvalue()


def serve_archive(exchange, symbol, days, spoil=lambda name, body: body):
    """Daily files of the given days, each with its CHECKSUM, at the address of the REST API."""
    files = {}
    for day, text in days.items():
        name = f"{symbol}-1m-{text}"
        body = zip_of_day(exchange, symbol, day, name)
        path = f"/data/spot/daily/klines/{symbol}/1m/{name}.zip"
        files[path + ".CHECKSUM"] = f"{hashlib.sha256(body).hexdigest()}  {name}.zip\n".encode()
        files[path] = spoil(name, body)

    def answer(path, _):
        if not path.startswith("/data/"):
            return None
        return (200, {}, files[path]) if path in files else (404, {}, b"<Error><Code>NoSuchKey</Code></Error>")

    exchange.before = answer


def three_days(exchange):
    exchange.add_days("BTCUSDT", MAY_1, 3)
    exchange.now = MAY_1 + 2 * DAY + 10 * 60 * MINUTE


def test_days_come_from_the_archive_and_today_from_rest(chandler, exchange):
    three_days(exchange)
    serve_archive(exchange, "BTCUSDT", {MAY_1: "2024-05-01", MAY_1 + DAY: "2024-05-02"})
    done = chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--archive-url", exchange.url,
                    "--json", *QUICK, check=0).json
    assert done["archive"]["files"] == 2
    rows = chandler.rows("klines_1m")
    assert [r["source"] for r in rows] == ["archive"] * 2880 + ["rest"] * 600
    asked = [int(p["startTime"]) for p in exchange.kline_requests() if p["limit"] != "1"]
    assert asked and min(asked) >= MAY_1 + 2 * DAY


def test_a_damaged_file_is_reported_and_the_lake_is_as_good_as_with_rest_alone(chandler, exchange, tmp_path):
    three_days(exchange)
    serve_archive(exchange, "BTCUSDT", {MAY_1: "2024-05-01"}, spoil=lambda name, body: body[:-1] + b"?")
    done = chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--archive-url", exchange.url,
                    *QUICK, check=0)
    assert "2024-05-01 from the archive is not used" in done.out and "SHA-256" in done.out
    by_archive = [(r["open_time"], r["close"], r["volume"]) for r in chandler.rows("klines_1m")]
    chandler.lake = tmp_path / "other"
    chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest", *QUICK, check=0)
    assert by_archive == [(r["open_time"], r["close"], r["volume"]) for r in chandler.rows("klines_1m")]


def test_another_exchange_is_never_filled_from_binances_archive(chandler, exchange):
    three_days(exchange)
    done = chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--json", *QUICK, check=0).json
    assert done["archive"]["requests"] == 0
    assert len(chandler.rows("klines_1m")) == 2 * 1440 + 600


def test_the_archive_alone_names_what_it_lacks_and_exits_1(chandler, exchange):
    three_days(exchange)
    serve_archive(exchange, "BTCUSDT", {MAY_1: "2024-05-01"})
    done = chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--archive-url", exchange.url,
                    "--source", "archive", *QUICK, check=1)
    assert "2024-05-02" in done.err and "--source auto" in done.err
    assert {r["source"] for r in chandler.rows("klines_1m")} == {"archive"}


def test_an_exchange_whose_archive_nobody_named_is_asked_by_rest_alone_and_that_is_said(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + 2 * DAY
    done = chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "-v", check=0)
    assert f"no archive is known of {exchange.url}" in done.err
    assert len(chandler.rows("klines_1m")) == 2880
    assert "no archive" not in chandler("backfill", "--rest-url", exchange.url, "--source", "rest", "-v", check=0).err
