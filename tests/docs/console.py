"""Runs the `$` lines of a page's console blocks in one shell, and compares what they print with what the page shows."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from program import PROGRAM, ROOT

MARK = "--- end of a step:"


VARY = "<!-- figures vary -->"  # before a block: numbers, and the spaces that align them, differ from run to run


def steps(page):
    """(command, expected output, whether its figures vary) of each `$` line of a page's console blocks."""
    for vary, block in re.findall(rf"^({VARY}\n)?```console\n(.*?)^```", page, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, [line.rstrip() for line in output.splitlines()], bool(vary)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Shell:
    """A shell in a folder that looks as the pages say: `chandler` on the PATH, data/ and tests/ of the sources at hand."""

    def __init__(self, folder: pathlib.Path):
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "chandler").symlink_to(PROGRAM)
        for name in ("data", "tests"):
            (folder / name).symlink_to(ROOT / name)
        self._errors = folder / "stderr"
        environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        with open(self._errors, "w") as errors:
            self._bash = subprocess.Popen(["bash", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kill()
        self._bash.wait()

    def _kill(self):
        try:
            os.killpg(self._bash.pid, signal.SIGKILL)  # with what it left in the background
        except ProcessLookupError:
            pass

    def run(self, command, timeout=120):
        """What the command prints, line by line. A server that it leaves in the background is waited for."""
        watch = threading.Timer(timeout, self._kill)
        watch.start()
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s\\n' '{MARK}'\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.startswith(MARK):
                break
            lines.append(line.rstrip())
        else:
            raise AssertionError(f"$ {command}\nthe shell ended, or took more than {timeout} s\n{self.errors()}")
        watch.cancel()
        if lines and lines[-1] == "":
            lines.pop()  # the line's end that stands before the mark
        port = re.search(r"--port[ =](\d+)", command)
        if command.rstrip().endswith("&") and port:
            wait_for(int(port[1]))
        return lines

    def errors(self):
        return self._errors.read_text()


def wait_for(port):
    for _ in range(300):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on port {port}")


def run_page(page, folder, ports=()):
    """Every step of a page in turn; the ports that it names are replaced by free ones. How many steps there were."""
    for port in ports:
        page = page.replace(port, str(free_port()))
    count = 0
    with Shell(folder) as shell:
        for command, expected, vary in steps(page):
            output = shell.run(command)
            matches(output, [pattern(line, vary) for line in expected],
                    f"$ {command}\n" + "\n".join(output) + f"\n{shell.errors()}")
            count += 1
    return count


def pattern(line, vary):
    """A line of a page as a regular expression: `*` stands for anything. None for `...`, which stands for any lines."""
    if line == "...":
        return None
    text = re.escape(line).replace(r"\*", ".*")
    if vary:
        text = re.sub(r"\d(?:[\d,:]|\\[.\-](?=\d))*", r"[\\d.,:-]+", text)
        text = re.sub(r"(?:\\ )+", " +", text)
        text = re.sub(r"(\] *\+ \+)(?:ms|s)\b", r"\1(?:ms|s|min)", text)
    return re.compile(text)


def matches(output, expected, message):
    at = 0
    skipping = False
    for wanted in expected:
        if wanted is None:
            skipping = True
            continue
        while skipping and at < len(output) and not wanted.fullmatch(output[at]):
            at += 1
        assert at < len(output), f"{message}\nno line like: {wanted.pattern}"
        assert wanted.fullmatch(output[at]), f"{message}\nline {at + 1} is not like: {wanted.pattern}"
        at, skipping = at + 1, False
    assert skipping or at == len(output), f"{message}\nmore lines than are documented"
