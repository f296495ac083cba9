"""Everything that the pages point to is there: links and their anchors, files, commands, flags, make targets."""

import functools
import re
import shlex

import pytest

from program import ROOT
from write_commands import definitions

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "data/README.md"])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def read(name):
    return (ROOT / name).read_text()


def without_code(text):
    """Prose alone: a link inside a code block or span is none."""
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]+`", "", text)


def code(text):
    """Lines and spans of code, each as one shell line; what a program printed is left out."""
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        lines = block.splitlines()
        if kind == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        if kind in ("console", "sh", ""):
            yield from lines
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for line in re.findall(r"^    (\S.*)$", outside, re.M):
        yield line
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^    .*$", "", outside, flags=re.M))


def anchors(name):
    """As GitHub makes them: small letters, words joined by hyphens, other signs dropped."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", read(name), flags=re.M | re.S), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return found


@functools.cache
def commands():
    """Command → its flags; None → those of every command."""
    program = definitions()
    flags = {None: {"help", "version"} | {flag["name"] for flag in program["flags"]}}
    for command in program["commands"]:
        flags[command["name"]] = {flag["name"] for flag in command["flags"] if flag["kind"] != "argument"}
    return flags


@functools.cache
def flags_of_scripts():
    """Flags that our own Python scripts define."""
    files = [*(ROOT / "bench").glob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "src/python").rglob("*.py")]
    return {flag for file in files for flag in re.findall(r'add_argument\("--([a-z][a-z0-9-]*)"', file.read_text())}


def parts(line):
    """The simple commands of a shell line, as lists of words."""
    for part in re.split(r"[|;&]+|<\(|\$\(", line):
        try:
            words = shlex.split(part.strip(" )"), comments=True)
        except ValueError:
            words = part.split()
        if words:
            yield words


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(read(name)))
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else ROOT / name
        assert target.exists(), f"{name}: {link} is not there"
        if anchor:
            assert anchor in anchors(target.relative_to(ROOT)), f"{name}: {link}: no such heading"


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_flags_are_those_of_the_program(name):
    known = commands()
    for line in code(read(name)):
        for words in parts(line):
            given = [word[2:].partition("=")[0] for word in words if re.match(r"--[a-z]", word)]
            if "chandler" in words:  # also behind `sudo`, `timeout` and the like
                rest = words[words.index("chandler") + 1:]
                given = [word[2:].partition("=")[0] for word in rest if re.match(r"--[a-z]", word)]
                command = next((word for word in rest if word in known), None)
                if rest and re.fullmatch(r"[a-z]+", rest[0]):
                    assert rest[0] in known, f"{name}: there is no command `{rest[0]}`: {line}"
                allowed = known[None] | known.get(command, set())
                assert set(given) <= allowed, f"{name}: `{command}` lacks {set(given) - allowed}: {line}"
            elif words[0].startswith("--"):  # a flag by itself: of some command, or of a script of ours
                allowed = set().union(*known.values()) | flags_of_scripts()
                assert set(given) <= allowed, f"{name}: nothing has {set(given) - allowed}: {line}"


@pytest.mark.parametrize("name", NAMES)
def test_files_and_make_targets_that_are_named_exist(name):
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.M))
    for line in code(read(name)):
        for words in parts(line):
            if words[0] == "make" and len(words) > 1 and re.fullmatch(r"[a-z-]+", words[1]):
                assert words[1] in targets, f"{name}: there is no target: {line}"
        if re.fullmatch(r"(src|bench|tests|scripts|docs|deploy|data|cmake)/[\w./-]+", line):
            assert (ROOT / line).exists(), f"{name}: {line} is not there"


@pytest.mark.parametrize("name", NAMES)
def test_tests_and_benchmarks_that_are_named_exist(name):
    text = read(name)
    for line in text.splitlines():
        for test in re.findall(r"`(\w+/\w+)`", line) if "ctest `" in line else []:
            folder, _, stem = test.partition("/")
            assert (ROOT / f"tests/{folder}/test_{stem}.py").exists(), f"{name}: there is no test {test}"
    for benchmark in re.findall(r"bench/run (\w+)", text):
        assert (ROOT / f"bench/bench_{benchmark}.py").exists(), f"{name}: there is no benchmark {benchmark}"
