"""`backfill --heal` as a user meets it."""

import random

import pyarrow.dataset

from exchange_double import DAY, MINUTE

MAY_30 = 1717027200000  # 2024-05-30T00:00Z
FROM_REST = ("--source", "rest")


def flip(path, seed):
    content = bytearray(path.read_bytes())
    content[random.Random(seed).randrange(len(content))] ^= 1 << seed % 8
    path.write_bytes(content)


def filled(chandler, exchange):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        exchange.add_days(symbol, MAY_30, 4)
    exchange.now = MAY_30 + 4 * DAY
    chandler("backfill", "BTCUSDT", "ETHUSDT", "--since", "2024-05-30", "--rest-url", exchange.url, *FROM_REST, check=0)
    return chandler.files()


def test_damage_in_every_file_at_once_is_healed_to_the_byte(chandler, exchange):
    whole = filled(chandler, exchange)
    for seed, path in enumerate(whole):
        flip(chandler.lake / path, seed)
    chandler("verify", check=1)
    done = chandler("backfill", "--heal", "--rest-url", exchange.url, *FROM_REST, check=0)
    for path in whole:
        assert f"{path}\n" in done.out and f"set aside as _quarantine/{path}.1" in done.out
    assert chandler.files() == whole
    chandler("verify", check=0)
    assert len([p for p in (chandler.lake / "_quarantine").rglob("*") if p.is_file()]) == len(whole)
    # No reader of the lake comes across what was set aside.
    assert pyarrow.dataset.dataset(chandler.lake / "klines_1m", format="parquet").count_rows() == 2 * 4 * 1440
    assert list((chandler.lake / "_quarantine").rglob("*.parquet")) == []
    again = chandler("backfill", "--heal", "--rest-url", exchange.url, "--json", *FROM_REST, check=0).json
    assert again["healed"]["set_aside"] == [] and again["nothing_to_do"]


def test_only_the_named_symbol_is_touched(chandler, exchange):
    whole = filled(chandler, exchange)
    klines = [p for p in whole if p.startswith("klines_1m") and "month=5" in p]
    for seed, path in enumerate(klines):
        flip(chandler.lake / path, seed)
    healed = chandler("backfill", "--heal", "ETHUSDT", "--rest-url", exchange.url, "--json", *FROM_REST, check=0).json["healed"]
    assert [f["file"] for f in healed["set_aside"]] == [p for p in klines if "ETHUSDT" in p]
    assert "BTCUSDT" in chandler("verify", check=1).out


def test_nothing_is_moved_while_the_exchange_cannot_be_reached(chandler, exchange):
    whole = filled(chandler, exchange)
    flip(chandler.lake / next(iter(whole)), 1)
    before = chandler.files()
    chandler("backfill", "--heal", "--rest-url", "http://127.0.0.1:9", "--deadline", "2", *FROM_REST, check=3)
    assert chandler.files() == before and not (chandler.lake / "_quarantine").exists()


def test_imported_candles_that_nobody_gives_back_are_named_until_they_are_imported_again(chandler, exchange, tmp_path):
    filled(chandler, exchange)
    csv = tmp_path / "history.csv"
    rows = [f"{(MAY_30 - 40 * DAY + m * MINUTE) // 1000},100,102,99,{100 + m % 7 / 8},1.5" for m in range(500)]
    csv.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "\n".join(rows) + "\n")
    chandler("import", csv, "--symbol", "BTCUSDT", check=0)
    (month,) = [p for p in chandler.files() if p.startswith("klines_1m/symbol=BTCUSDT") and "month=4" in p]
    path = chandler.lake / month
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4  # in a price
    path.write_bytes(content)
    done = chandler("backfill", "--heal", "--rest-url", exchange.url, *FROM_REST, check=1)
    assert "500 imported candles of BTCUSDT" in done.err and "chandler import FILE --symbol BTCUSDT" in done.err
    chandler("verify", check=0)
    chandler("import", csv, "--symbol", "BTCUSDT", check=0)
    chandler("backfill", "--heal", "--rest-url", exchange.url, *FROM_REST, check=0)
    assert path.exists()
