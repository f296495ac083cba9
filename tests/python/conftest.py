"""The package as a user installed it: nothing of the source tree is on the path."""

import pathlib

import chandler
import pytest


@pytest.fixture(scope="session")
def lake(tmp_path_factory) -> chandler.Lake:
    return chandler.demo(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="session")
def folder(lake) -> pathlib.Path:
    return pathlib.Path(lake.uri.removeprefix("file://"))


@pytest.fixture(scope="session")
def minutes(folder):
    """BTCUSDT's minutes as pyarrow reads the files itself, in order of time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted((folder / "klines_1m/symbol=BTCUSDT").rglob("*.parquet"), key=lambda f: int(f.parent.name.split("=")[1]))
    return pa.concat_tables(pq.ParquetFile(file).read() for file in files).combine_chunks()
