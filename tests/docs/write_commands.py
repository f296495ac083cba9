"""Writes docs/commands.md from the program's own definitions: python tests/docs/write_commands.py"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from program import PROGRAM, ROOT  # noqa: E402


def cell(text):
    return str(text).replace("|", "\\|")


def name_of(flag):
    value = flag.get("value", "")
    if flag["kind"] == "argument":
        return value + ("…" if flag["many"] else "")
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
    lines = ["| | |", "| --- | --- |"]
    return lines + [f"| `{cell(name_of(flag))}` | {cell(about(flag))} |" for flag in of]


def document():
    program = json.loads(subprocess.run([PROGRAM, "commands", "--json"], capture_output=True, check=True).stdout)
    lines = ["# Commands", "", "Written by `tests/docs/write_commands.py` from what the program says of itself.", "",
             "## Flags of every command", "", *flags(program["flags"])]
    for command in program["commands"]:
        if command["hidden"]:
            continue
        lines += ["", f"## {command['name']}", "", command["about"] + ".", "", f"`{command['usage']}`"]
        if command["flags"]:
            lines += ["", *flags(command["flags"])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/commands.md").write_text(document())
