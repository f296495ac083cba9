"""The wheel by itself: beside other copies of Arrow in one process, with types that check, and without the source tree."""

import pathlib
import re
import subprocess
import sys
import textwrap
import threading

import chandler
import pytest

USE_PYARROW = """
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.dataset, pyarrow.compute as pc
"""
USE_CHANDLER = """
import chandler
"""
USE_BOTH = """
import pathlib, polars, duckdb
lake = chandler.demo(folder)
table = lake.candles("BTCUSDT", "1h").to_arrow()
assert table.num_rows == 672 and pc.sum(table["minutes"]).as_py() == 40320
file = next(pathlib.Path(folder, "klines_1m/symbol=BTCUSDT").rglob("*.parquet"))
rows = pq.ParquetFile(file).read()
assert len(chandler.roll_up(rows, "1d")) == len(chandler.roll_up(polars.DataFrame(rows), "1d")) > 0
try:
    pq.ParquetFile(pa.BufferReader(b"nothing that a Parquet file begins with"))
    raise SystemExit("pyarrow took nonsense")
except pa.ArrowInvalid:
    pass
try:
    chandler.roll_up(rows.slice(0, 5).take([1, 0]), "1d")
    raise SystemExit("chandler took rows out of order")
except chandler.InvalidDataError:
    pass
lines = open("/proc/self/maps").read().splitlines()
print("\\n".join(sorted({line.split()[-1] for line in lines if "libarrow" in line and "python" not in line.split("/")[-1]})))
"""


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("order", [USE_PYARROW + USE_CHANDLER, USE_CHANDLER + USE_PYARROW], ids=["after", "before"])
def test_works_beside_another_version_of_arrow_imported(order, tmp_path):
    loaded = run(f"folder = {str(tmp_path)!r}\n{order}{USE_BOTH}").split()
    ours = [path for path in loaded if "/chandler/libraries/" in path]
    theirs = [path for path in loaded if "/pyarrow/" in path]
    assert ours and theirs, loaded
    assert not {pathlib.Path(path).name for path in ours} & {pathlib.Path(path).name for path in theirs}


def test_needs_no_other_package(tmp_path):
    run(f"""
        import sys
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {{"pyarrow", "polars", "pandas", "duckdb", "numpy"}}:
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Refuse())
        import chandler
        table = chandler.demo({str(tmp_path)!r}).candles("ETHUSDT", "1w", start="2024-06-03", end="2024-06-09").collect()
        assert len(table) == 1 and table["minutes"] == [7 * 1440], table
        assert len(chandler.roll_up(table, "1M")) == 1""")


def test_is_installed_and_brings_every_library_that_the_system_need_not_have():
    package = pathlib.Path(chandler.__file__).parent
    assert "site-packages" in package.parts
    module = next(package.glob("_core*.so"))
    loaded = subprocess.run(["ldd", module], check=True, capture_output=True, text=True).stdout
    outside = [line.split()[0] for line in loaded.splitlines() if str(package) not in line]
    system = ("linux-vdso", "libstdc++", "libm.", "libgcc_s", "libc.", "libdl", "librt", "libpthread", "/lib", "ld-linux")
    assert [name for name in outside if not name.startswith(system)] == []


def test_brings_the_licence_of_every_library_that_it_brings():
    folder = pathlib.Path(chandler.__file__).parent / "libraries"
    libraries = {path.name.partition("-chandler-")[0] for path in folder.glob("*.so*")}
    licences = {path.name: "\n".join(file.read_text(errors="replace") for file in path.iterdir()) for path in (folder / "licences").iterdir()}
    assert {"libarrow", "libparquet", "libfmt", "libcurl"} <= libraries
    assert all(licences.values()) and {"libfmt9", "libcurl4"} <= licences.keys()
    (arrow,) = (text for package, text in licences.items() if "arrow" in package)
    assert "Apache License" in arrow and "The Apache Software Foundation" in arrow


def test_shows_no_symbol_but_the_entry():
    module = next(pathlib.Path(chandler.__file__).parent.glob("_core*.so"))
    shown = subprocess.run(["nm", "-D", "--defined-only", module], check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in shown.splitlines()] == ["PyInit__core"]


def test_types_check(tmp_path):
    """The package's own sources, and what a user writes against them."""
    user = tmp_path / "user.py"
    user.write_text(textwrap.dedent("""
        import datetime
        import chandler
        lake: chandler.Lake = chandler.demo()
        stream: chandler.Stream = lake.candles("BTCUSDT", "4h", start=datetime.date(2024, 6, 1), fill="close")
        table: chandler.Table = chandler.roll_up(stream, "1d")
        rows: int = len(table) + len(chandler.clean(table, "1d").rows)
        model: chandler.Model = chandler.fit(lake.daily_filled("BTCUSDT"), weekly=3)
        ahead: chandler.Table = model.predict(7)
        lake.candles("BTCUSDT", "7m")  # type: ignore[arg-type]
        lake.daily_filled(1)  # type: ignore[arg-type]
        """))
    check = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache")]
    for what in ([str(user)], ["-p", "chandler.kernels", "-p", "chandler.lake", "-p", "chandler.table"]):
        done = subprocess.run([*check, *what], capture_output=True, text=True, timeout=240, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_function_says_what_it_does():
    for name in chandler.__all__:
        assert getattr(chandler, name).__doc__, name
    for cls in (chandler.Lake, chandler.Table, chandler.Stream, chandler.Model):
        for name, member in vars(cls).items():
            if callable(member) and not name.startswith("_") and name != "predict":
                assert member.__doc__, f"{cls.__name__}.{name}"


def test_other_threads_run_while_a_kernel_does():
    """With the GIL held, this thread would come to nothing before the kernel is done."""
    import polars as pl

    values = pl.DataFrame({"close": pl.int_range(400_000, eager=True).cast(pl.Float64)})
    begun, done = threading.Event(), threading.Event()

    def work():
        begun.set()
        chandler.moving_average(values, 2000)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    turns = 0
    while not done.is_set():
        turns += 1
    thread.join()
    assert turns > 10_000


def test_the_readmes_example_runs_as_it_stands(tmp_path):
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    example = readme.partition("```python\n")[2].partition("```")[0]
    assert "chandler.demo()" in example
    run(f"import os\nos.environ['TMPDIR'] = {str(tmp_path)!r}\n{example}\nassert len(weeks) > 3 and 'Bitcoin' not in repr(model)")


def test_exit_codes_are_those_of_the_documented_table():
    text = (pathlib.Path(__file__).parents[2] / "docs/errors.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE))
    classes = [c for c in vars(chandler.errors).values() if isinstance(c, type) and issubclass(c, chandler.ChandlerError)]
    assert {c.code: str(c.exit_code) for c in classes} == rows
