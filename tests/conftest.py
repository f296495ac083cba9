"""What every test of the whole program shares: the program, a lake of its own, and an exchange that does as it is told."""

import pytest

from exchange_double import ExchangeDouble
from program import PROGRAM, ROOT, Chandler  # noqa: F401


@pytest.fixture
def chandler(tmp_path):
    return Chandler(tmp_path / "lake", tmp_path)


@pytest.fixture
def exchange():
    with ExchangeDouble() as double:
        yield double
