"""A month of minutes that another tool has rewritten: the days come from its rows, whatever its footer still says."""

import pyarrow.compute
import pyarrow.parquet


def test_build_believes_the_rows_and_not_the_footer_that_another_tool_kept(chandler):
    history = chandler.cwd / "history.csv"
    history.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "".join(
        f"{1714521600 + 60 * i},{100 + i % 7},{110 + i % 7},{90 + i % 7},{101 + i % 7},{1 + i % 5}\n" for i in range(4320)))
    chandler("import", history, "--symbol", "BTCUSDT", check=0)
    before = chandler.rows("daily_filled")
    path = next((chandler.lake / "klines_1m").rglob("*.parquet"))
    table = pyarrow.parquet.ParquetFile(path).read()
    doubled = table.set_column(table.schema.get_field_index("volume"), table.schema.field("volume"),
                               pyarrow.compute.multiply(table["volume"], 2.0))
    pyarrow.parquet.write_table(doubled, path)  # keeps every entry of the footer, but not the schema that they are sealed with
    refused = chandler("build")
    assert refused.code == 1 and "month=5/part.parquet" in refused.err
    unsealed = {name: value for name, value in table.schema.metadata.items() if name != b"chandler.seal"}
    pyarrow.parquet.write_table(doubled.replace_schema_metadata(unsealed), path)
    assert b"chandler.days" in pyarrow.parquet.read_metadata(path).metadata

    chandler("build", check=0)
    after = chandler.rows("daily_filled")
    assert [row["daily_volume"] for row in after] == [2 * row["daily_volume"] for row in before]
    assert [row["daily_close"] for row in after] == [row["daily_close"] for row in before]
    assert chandler("verify").code != 0, "the rows do not have the digest that the footer names"
