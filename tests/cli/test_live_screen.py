"""The table that `live` draws: on a terminal it fits, and each drawing covers the one before; elsewhere there is none."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

sys.path.append(os.path.join(os.path.dirname(__file__), "../speed"))
import speed_system
from conftest import PROGRAM, ROOT

UP = re.compile(r"\x1b\[(\d+)F\x1b\[J")
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def command(tmp_path):
    with speed_system.Sim(PROGRAM, str(ROOT / "data/demo"), "2024-06-20T23:40:10Z", 60) as sim:
        yield [PROGRAM, "live", "BTCUSDT", "ETHUSDT", "--stream-url", sim.stream_url, "--rest-url", sim.url, "--trigger", "500ms",
               "--lake", str(tmp_path / "lake")]


def drawings(command, columns, rows, wanted):
    """What is drawn on a terminal of this size, cut where a drawing begins: [(lines to go up, text)]."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
                               env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    text, deadline = b"", time.monotonic() + 120
    try:
        while len(UP.findall(text.decode(errors="replace"))) < wanted:
            assert time.monotonic() < deadline, text
            if select.select([ours], [], [], 1)[0]:
                text += os.read(ours, 65536)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    parts = UP.split(text.decode().replace("\r\n", "\n"))
    return [(0, parts[0])] + [(int(parts[i]), parts[i + 1]) for i in range(1, len(parts) - 2, 2)]


@pytest.mark.parametrize("columns, rows", [(80, 24), (40, 8), (160, 50)])
def test_every_drawing_fits_the_terminal_and_covers_the_one_before(command, columns, rows):
    drawn = drawings(command, columns, rows, 5)
    for (_, before), (up, text) in zip(drawn, drawn[1:]):
        assert up == before.count("\n")
        lines = STYLE.sub("", text).splitlines()
        assert len(lines) < rows
        assert max(map(len, lines)) < columns
        assert lines[0].startswith("symbol") and "price" in lines[0] and "lag" in lines[0]
    last = STYLE.sub("", drawn[-1][1])
    assert "BTCUSDT" in last and "watermark" in last and "late" in last
    # The less there is room for, the fewer of these, the last ones first; how many depends on the numbers.
    order = ["high", "low", "volume", "vwap", "open", "trades", "minutes"]
    shown = [name for name in order if name in last.split("\n")[0].split()]
    assert shown == order[: len(shown)]
    assert {40: len(shown) <= 1, 80: 2 <= len(shown) <= 5, 160: shown == order}[columns]


def test_into_a_pipe_nothing_is_drawn_but_the_figures_at_the_end(command):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(5)
    process.terminate()
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "\x1b" not in text
    assert re.fullmatch(r"[\d,]+ messages: .* minutes new in the lake, \d+ replaced\.\n", text)
