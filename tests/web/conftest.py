"""What the tests of the dashboard share: a browser, a lake of real candles with a forecast of them, and an empty one."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from dashboard_process import Browser, Dashboard  # noqa: E402

from program import ROOT, Chandler  # noqa: E402


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    chandler = Chandler(folder / "lake", folder)
    chandler("demo", "--data", ROOT / "data/demo", check=0, timeout=600)
    chandler("forecast", "--no-plots", "--quiet", timeout=600)
    return folder / "lake"


@pytest.fixture(scope="session")
def dashboard(lake):
    with Dashboard(lake) as running:
        yield running


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    with Dashboard(tmp_path_factory.mktemp("empty") / "lake") as running:
        yield running
