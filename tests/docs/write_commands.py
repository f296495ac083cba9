"""Writes what the program says of its commands and flags into docs/commands/: python tests/docs/write_commands.py

Each page has a part between two marks that this script owns; the rest is written by hand. A command without a page gets one with the
headings that it needs.
"""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from program import PROGRAM, ROOT  # noqa: E402

PAGES = ROOT / "docs/commands"
BEGIN, END = "<!-- from the program: tests/docs/write_commands.py -->", "<!-- end of what the program says -->"
SECTIONS = ["What it does", "When to use it", "Example", "Exit codes", "Files", "Related"]


def definitions():
    return json.loads(subprocess.run([PROGRAM, "commands", "--json"], capture_output=True, check=True).stdout)


def visible(program):
    return [command for command in program["commands"] if not command["hidden"]]


def cell(text):
    return str(text).replace("|", "\\|")


def name_of(flag):
    value = flag.get("value", "")
    if flag["kind"] == "argument":
        return value + ("…" if flag["many"] and not value.endswith("…") else "")
    name = f"-{flag['letter']}, " if flag.get("letter") else ""
    return f"{name}--{flag['name']}" + (f" {value}" if flag["kind"] == "option" else "")


def about(flag):
    text = flag["about"]
    if flag.get("choices"):
        text += f" (one of {', '.join(flag['choices'])})"
    if flag.get("default"):
        text += f" (default {flag['default']})"
    return text + (" (required)" if flag.get("required") else "")


def flags(of):
    lines = ["| flag | |", "| --- | --- |"]
    return lines + [f"| `{cell(name_of(flag))}` | {cell(about(flag))} |" for flag in of]


def of_command(command):
    lines = [command["about"] + ".", "", f"    {command['usage']}", ""]
    lines += flags(command["flags"]) + [""] if command["flags"] else []
    return lines + ["[Flags of every command](README.md#flags-of-every-command)"]


def of_all(program):
    lines = ["| command | does |", "| --- | --- |"]
    lines += [f"| [`{c['name']}`]({c['name']}.md) | {cell(c['about'])} |" for c in visible(program)]
    return lines + ["", "## Flags of every command", "", *flags(program["flags"])]


def with_generated(page, lines):
    """The page with its generated part written anew."""
    generated = "\n".join([BEGIN, "", *lines, "", END])
    pattern = re.escape(BEGIN) + r".*?" + re.escape(END)
    assert re.search(pattern, page, re.S), f"the marks are missing: {BEGIN} … {END}"
    return re.sub(pattern, lambda _: generated, page, count=1, flags=re.S)


def documents():
    """Path → (what is there, what ought to be) of every page."""
    program = definitions()
    wanted = {PAGES / "README.md": ("# Commands", of_all(program))}
    wanted.update({PAGES / f"{c['name']}.md": (f"# {c['name']}", of_command(c)) for c in visible(program)})
    found = {}
    for path, (title, lines) in wanted.items():
        headings = "".join(f"\n## {section}\n" for section in SECTIONS) if path.stem != "README" else ""
        page = path.read_text() if path.exists() else f"{title}\n\n{BEGIN}\n{END}\n{headings}"
        found[path] = page, with_generated(page, lines)
    return found


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for path, (_, text) in documents().items():
        path.write_text(text)
