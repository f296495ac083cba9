"""Completion in the three shells, each asked as a user's key asks it; the manual page; the versions."""

import json
import os
import shutil
import subprocess

import pytest
from program import PROGRAM

ENVIRONMENT = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion") / "lake"
    for symbol in ("BTCUSDT", "BTCUSDC", "ETHUSDT"):
        partition = folder / f"klines_1m/symbol={symbol}/year=2024/month=6"
        partition.mkdir(parents=True)
        (partition / "part.parquet").write_bytes(b"completion looks at names only")
    return folder


def bash(line):
    words = line.split(" ")
    script = run(PROGRAM, "completion", "bash")
    quoted = " ".join(f"'{w}'" for w in " ".join(words).replace("=", " = ").split(" "))
    return set(run("bash", "-c", f'{script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_chandler\n'
                   'printf "%s\\n" "${COMPREPLY[@]}"').split())


def fish(line):
    script = run(PROGRAM, "completion", "fish")
    return {entry.split("\t")[0] for entry in run("fish", "--no-config", "-c", f"{script}\ncomplete -C '{line}'").splitlines()}


SHELLS = [bash, fish] if shutil.which("fish") else [bash]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_flags_and_values_are_completed(shell):
    assert shell("chandler ba") == {"backfill"}
    assert {"backfill", "live", "serve"} <= shell("chandler ") and "symbols" not in shell("chandler ")
    assert "--since" in shell("chandler backfill --si") and "--port" not in shell("chandler backfill --")
    assert {"--lake", "--audit"} <= shell("chandler verify --")
    assert shell("chandler backfill --source ") == {"auto", "archive", "rest"}
    assert shell("chandler --log-format json candles --format p") == {"parquet"}
    assert shell("chandler completion ") == {"bash", "zsh", "fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_symbols_are_those_of_the_lake_that_is_named(shell, lake):
    assert shell(f"chandler --lake {lake} candles BTC") == {"BTCUSDT", "BTCUSDC"}
    assert shell(f"chandler --lake {lake}-not-there status ") == set()


def test_bash_completes_a_value_after_an_equals_sign():
    assert bash("chandler backfill --source=a") == {"auto", "archive"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_can_read_its_script(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed; scripts/setup test installs it")
    script = tmp_path / "script"
    script.write_text(run(PROGRAM, "completion", shell))
    run(shell, "-n", str(script))


def test_the_manual_page_names_every_command_and_flag():
    definitions = json.loads(run(PROGRAM, "commands", "--json"))
    page = run(PROGRAM, "man").replace("\\-", "-")
    for command in definitions["commands"]:
        assert (f".SS {command['name']}\n" in page) != command["hidden"]
        for flag in [] if command["hidden"] else command["flags"]:
            assert flag["kind"] == "argument" or f"--{flag['name']}" in page
    assert page == run(PROGRAM, "man").replace("\\-", "-")


def test_the_version_tells_the_libraries_at_run_time():
    import pyarrow

    lines = run(PROGRAM, "--version").splitlines()
    assert lines[0].startswith("chandler ")
    libraries = dict(line.split(maxsplit=1) for line in lines[1:])
    assert {"Arrow", "curl", "OpenSSL", "librdkafka", "simdjson", "zlib"} <= set(libraries)
    assert all(version[0].isdigit() for version in libraries.values())
    assert libraries["Arrow"].split(".")[0] == pyarrow.__version__.split(".")[0]


def test_with_json_logs_every_line_of_stderr_is_one_object(tmp_path):
    for arguments in (["status", "--no-such-flag"], ["candles", "NOSUCH"],
                      ["backfill", "BTCUSDT", "--rest-url", "http://127.0.0.1:9", "--deadline", "1"]):
        done = subprocess.run([PROGRAM, "--log-format", "json", "--lake", str(tmp_path / "lake"), *arguments],
                              capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
        assert done.returncode != 0 and done.stderr
        for line in done.stderr.splitlines():
            assert {"time", "level", "message"} <= set(json.loads(line))
