"""A month of minutes that another tool has rewritten: its rows count, and nothing that its footer still says about them."""

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest

from exchange_double import DAY, MINUTE

MAY_1 = 1714521600000  # 2024-05-01T00:00Z
DAYS = 3


@pytest.fixture
def filled(chandler, exchange):
    """Three days by REST, of which the exchange has all minutes but the ten from 07:00 on the 2nd."""
    hole = range(MAY_1 + DAY + 420 * MINUTE, MAY_1 + DAY + 430 * MINUTE, MINUTE)
    exchange.add("BTCUSDT", [t for t in range(MAY_1, MAY_1 + DAYS * DAY, MINUTE) if t not in hole])
    exchange.now = MAY_1 + DAYS * DAY
    backfill(chandler, exchange)
    return chandler


def backfill(chandler, exchange):
    return chandler("backfill", "BTCUSDT", "--since", "2024-05-01", "--until", "2024-05-03", "--source", "rest", "--rest-url",
                    exchange.url, "--json", check=0).json


def month(chandler):
    return next((chandler.lake / "klines_1m").rglob("*.parquet"))


def doubled(table):
    return table.set_column(table.schema.get_field_index("volume"), table.schema.field("volume"),
                            pyarrow.compute.multiply(table["volume"], 2.0))


@pytest.mark.parametrize("keep", ["every entry", "every entry but the seal", "the table and its version"])
@pytest.mark.parametrize("command", ["build", "backfill"])
def test_the_days_are_those_of_its_rows(filled, exchange, keep, command):
    before, path = filled.rows("daily_filled"), month(filled)
    table = pyarrow.parquet.ParquetFile(path).read()
    entries = {key: value for key, value in table.schema.metadata.items()
               if keep == "every entry" or (keep.endswith("seal") and key != b"chandler.seal") or key in (b"chandler.table", b"chandler.schema")}
    pyarrow.parquet.write_table(doubled(table).replace_schema_metadata(entries), path)
    filled("build", check=0) if command == "build" else backfill(filled, exchange)
    after = filled.rows("daily_filled")
    assert [row["daily_volume"] for row in after] == [2 * row["daily_volume"] for row in before]
    assert [row["daily_close"] for row in after] == [row["daily_close"] for row in before]
    verified = filled("verify", "--json", check=0).json
    assert verified["files_of_another_program"] == 1 or command == "backfill"


def test_rows_that_it_lost_are_fetched_again_and_the_file_is_chandlers_again(filled, exchange):
    path, whole = month(filled), month(filled).read_bytes()
    table = pyarrow.parquet.ParquetFile(path).read()
    pyarrow.parquet.write_table(pyarrow.concat_tables([table.slice(0, 100), table.slice(2000)]), path)
    assert "1 file was written by another program" in filled("verify", check=0).out
    done = backfill(filled, exchange)
    assert done["symbols"][0]["added"] == 1900
    assert path.read_bytes() == whole  # the hole of the exchange has been asked for again, too
    assert filled("verify", "--json", check=0).json["files_of_another_program"] == 0


@pytest.mark.parametrize("change", ["order", "repeat", "impossible", "another month", "null"])
def test_rows_that_cannot_be_candles_of_the_month_are_refused(filled, change):
    path = month(filled)
    table = pyarrow.parquet.ParquetFile(path).read()
    if change == "order":
        table = pyarrow.concat_tables([table.slice(2000), table.slice(0, 2000)])
    elif change == "repeat":
        table = pyarrow.concat_tables([table.slice(0, 10), table.slice(9)])
    else:
        name = "open_time" if change == "another month" else "low"
        values = table[name].combine_chunks().to_pylist()
        values[77] = {"impossible": 1e9, "null": None}.get(change, values[0].replace(year=2023) if name == "open_time" else None)
        field = pyarrow.field(name, table.schema.field(name).type, nullable=True)
        table = table.set_column(table.schema.get_field_index(name), field, pyarrow.array(values, field.type))
    pyarrow.parquet.write_table(table, path)
    for command in ("build", "verify"):
        refused = filled(command)
        assert refused.code == 1 and "month=5/part.parquet" in refused.out + refused.err


def test_a_changed_name_of_the_writer_is_damage(filled):
    path = month(filled)
    content = path.read_bytes()
    at = content.rindex(b"chandler", 0, content.rindex(b"PAR1"))
    while content[at - 1:at] == b"." or content[at + 8:at + 9] == b".":  # the name of an entry, not that of the writer
        at = content.rindex(b"chandler", 0, at)
    path.write_bytes(content[:at] + b"chamdler" + content[at + 8:])
    said = filled("verify", check=1).out
    assert "under chandler's seal" in said
