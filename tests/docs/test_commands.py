"""docs/commands/ has a page for every command, with the flags that the program has and examples that print what they say."""

import shutil

import pytest

from console import run_page, steps
from program import ROOT, Chandler
from write_commands import PAGES, SECTIONS, definitions, documents, visible

# Their examples need a broker; tests/speed runs the commands themselves.
WITH_BROKER = {"produce", "consume"}
COMMANDS = [path.stem for path in sorted(PAGES.glob("*.md")) if path.stem != "README"]


@pytest.fixture(scope="module")
def demo_lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    Chandler(folder / "lake", ROOT)("demo", check=0)
    return folder / "lake"


def test_each_command_has_its_page_and_no_page_is_of_none():
    assert COMMANDS == sorted(command["name"] for command in visible(definitions()))


def test_flags_on_the_pages_are_those_of_the_program():
    for path, (found, wanted) in documents().items():
        assert found == wanted, f"{path.name} is not what the program says: run tests/docs/write_commands.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_every_section_with_something_in_it(command):
    page = (PAGES / f"{command}.md").read_text()
    parts = page.split("\n## ")[1:]
    assert [part.split("\n", 1)[0] for part in parts] == SECTIONS
    for part in parts:
        assert len(part.split("\n", 1)[1].strip()) > 20, f"{command}: {part}"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in WITH_BROKER])
def test_examples_print_what_the_page_shows(command, demo_lake, tmp_path):
    shutil.copytree(demo_lake, tmp_path / "lake")
    page = (PAGES / f"{command}.md").read_text()
    assert any(f"chandler {command}" in step for step, _, _ in steps(page))
    run_page(page, tmp_path, ports=["7070", "7071"])
