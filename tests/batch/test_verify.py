"""`verify` as a user meets it: exit codes, names, JSON, and days compared with the exchange's own."""

import random

from exchange_double import DAY

MAY_1 = 1714521600000  # 2024-05-01T00:00Z


def filled(chandler, exchange, symbols=("BTCUSDT", "ETHUSDT"), days=3):
    for symbol in symbols:
        exchange.add_days(symbol, MAY_1, days)
    exchange.now = MAY_1 + days * DAY
    chandler("backfill", *symbols, "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest", check=0)


def damage(path, seed=1):
    content = bytearray(path.read_bytes())
    content[random.Random(seed).randrange(len(content))] ^= 0x20
    path.write_bytes(content)


def test_a_backfilled_lake_is_clean(chandler, exchange):
    filled(chandler, exchange)
    done = chandler("verify", check=0)
    assert "6 files of 2 symbols" in done.out and "every invariant holds" in done.out and done.err == ""
    report = chandler("verify", "--json", check=0).json
    assert report["clean"] and report["files"] == 6 and [s["symbol"] for s in report["symbols"]] == ["BTCUSDT", "ETHUSDT"]


def test_an_empty_lake_is_clean(chandler):
    assert "0 files" in chandler("verify", check=0).out


def test_a_damaged_file_is_named_with_what_to_do_and_the_advice_works(chandler, exchange):
    filled(chandler, exchange)
    whole = chandler.files()
    for seed, path in enumerate(whole):
        damage(chandler.lake / path, seed)
        done = chandler("verify", "--json", check=1)
        violations = [v for s in done.json["symbols"] for v in s["violations"]]
        assert {v["file"] for v in violations} == {path}
        assert path in chandler("verify", check=1).out
        if path.startswith("klines"):
            symbol = path.split("symbol=")[1].split("/")[0]
            assert f"chandler backfill --heal {symbol}" in violations[0]["remedy"]
            chandler("backfill", "--heal", symbol, "--rest-url", exchange.url, "--source", "rest", check=0)
        else:
            assert "chandler build" in violations[0]["remedy"]
            chandler("build", check=0)
        chandler("verify", check=0)
    assert chandler.files() == whole


def test_strays_are_named_and_other_symbols_are_left_out_when_one_is_asked_for(chandler, exchange):
    filled(chandler, exchange)
    (chandler.lake / "klines_1m/symbol=ETHUSDT/notes.txt").write_text("mine")
    done = chandler("verify", check=1)
    assert "klines_1m/symbol=ETHUSDT/notes.txt" in done.out and "1 violation" in done.err
    chandler("verify", "BTCUSDT", check=0)
    chandler("verify", "NOSUCH", check=2)


def test_many_violations_stay_readable(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT",))
    for i in range(500):
        (chandler.lake / f"stray-{i}").write_text("x")
    done = chandler("verify", check=1)
    assert len(done.out.splitlines()) < 150 and "460 violations" in done.out
    assert len(chandler("verify", "--json", check=1).json["strays"]) == 500


def test_derived_files_that_wait_are_a_note_and_no_violation(chandler, exchange):
    filled(chandler, exchange)
    for path in (chandler.lake / "prophet_input").rglob("*.parquet"):
        path.unlink()
    done = chandler("verify", check=0)
    assert "2 derived files" in done.out and "chandler build" in done.out
    chandler("build", check=0)
    assert "derived files" not in chandler("verify", check=0).out


def days_of(exchange, symbol, change=lambda t, row: row):
    """The exchange's own days: its minutes summed here, by other code than the program's."""
    minutes = exchange.klines[(symbol, "1m")]
    days = {}
    for t in sorted(minutes):
        days.setdefault(t // DAY * DAY, []).append(minutes[t])
    result = {}
    for t, rows in days.items():
        total = lambda i: f"{sum(float(r[i]) for r in rows):.8f}"
        result[t] = change(t, [t, rows[0][1], max((r[2] for r in rows), key=float), min((r[3] for r in rows), key=float),
                               rows[-1][4], total(5), t + DAY - 1, total(7), sum(r[8] for r in rows), total(9), total(10), "0"])
    exchange.klines[(symbol, "1d")] = result


def test_the_audit_agrees_with_the_exchanges_days(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT",))
    days_of(exchange, "BTCUSDT")
    done = chandler("verify", "--audit", "--rest-url", exchange.url, check=0)
    assert "Compared 3 days" in done.out and "all are equal" in done.out


def test_the_audit_names_the_day_and_the_value_that_differ(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT",))
    days_of(exchange, "BTCUSDT", lambda t, row: row if t != MAY_1 + DAY else [*row[:2], "999.00000000", *row[3:]])
    done = chandler("verify", "--audit", "--rest-url", exchange.url, "--json", check=1)
    (symbol,) = done.json["audit"]["symbols"]
    (difference,) = symbol["differences"]
    assert difference["day"] == "2024-05-02" and difference["field"] == "high" and difference["theirs"] == 999
    assert "1 difference" in done.err


def test_without_a_network_the_audit_uses_the_days_of_the_lake(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT",))
    days_of(exchange, "BTCUSDT")
    nobody = ["--rest-url", "http://127.0.0.1:9", "--deadline", "3"]
    assert chandler("verify", "--audit", *nobody).code == 3
    chandler("backfill", "BTCUSDT", "--interval", "1d", "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest",
             check=0)
    done = chandler("verify", "--audit", *nobody, check=0)
    assert "klines_1d of the lake" in done.out and "all are equal" in done.out


def test_an_audit_that_fails_for_some_symbols_names_them_and_compares_the_rest(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT", "ETHUSDT"))
    days_of(exchange, "BTCUSDT")  # and none of ETHUSDT: HTTP 400, no such symbol
    done = chandler("verify", "--audit", "--rest-url", exchange.url, check=1)
    assert "Compared 3 days" in done.out and "every invariant holds" in done.out
    assert "the days of ETHUSDT were not compared" in done.err and "days of BTCUSDT" not in done.err


def test_an_exchange_that_answers_errors_does_not_take_back_what_was_found_in_the_lake(chandler, exchange):
    filled(chandler, exchange, symbols=("BTCUSDT",))
    exchange.before = lambda path, _: (503, {}, b"<html>") if path != "/api/v3/time" else None
    done = chandler("verify", "--audit", "--rest-url", exchange.url, "--request-timeout", "1", "--deadline", "3", check=1)
    assert "every invariant holds" in done.out and "nothing to compare" in done.out
    assert "the days of BTCUSDT were not compared: the exchange answers HTTP 503" in done.err
    exchange.before = lambda path, _: (503, {}, b"<html>")
    done = chandler("verify", "--audit", "--rest-url", exchange.url, "--deadline", "3", "--json", check=3)
    assert done.json["symbols"][0]["violations"] == [] and done.json["clean"] is False
    assert "503" in done.json["audit"]["error"]["what"]
