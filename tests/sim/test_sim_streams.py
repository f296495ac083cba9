"""The simulator's streams as clients see them that we did not write: python-binance's socket manager and websockets."""

import asyncio
import json
import pathlib
import sys

import pytest
import websockets
from binance import AsyncClient, BinanceSocketManager

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from sim_process import Sim, recorded  # noqa: E402

START = "2024-05-31T10:00:30Z"
MINUTE = 60_000


def closed_klines(messages):
    return [m["k"] for m in messages if m["e"] == "kline" and m["k"]["x"]]


def as_row(k):
    return [k["t"], k["o"], k["h"], k["l"], k["c"], k["v"], k["T"], k["q"], k["n"], k["V"], k["Q"], "0"]


async def read(url, until, seconds=60):
    """Messages of a connection until `until(messages)` holds."""
    messages = []
    async with asyncio.timeout(seconds), websockets.connect(url) as socket:
        async for text in socket:
            messages.append(json.loads(text))
            if until(messages):
                return messages


def test_python_binance_receives_klines_and_every_closed_one_is_the_recorded_row():
    with Sim("--now", START, "--speed", "60") as sim:
        async def listen():
            client = AsyncClient()
            manager = BinanceSocketManager(client)
            manager.STREAM_URL = sim.stream_url + "/"
            messages = []
            async with asyncio.timeout(60), manager.kline_socket("BTCUSDT", interval="1m") as socket:
                while len(closed_klines(messages)) < 10:
                    messages.append(await socket.recv())
            await client.close_connection()
            return messages

        messages = asyncio.run(listen())
    rows = {r[0]: r for r in recorded("2024-05-31")}
    closed = closed_klines(messages)
    assert [as_row(k) for k in closed] == [rows[k["t"]] for k in closed]
    assert [k["t"] for k in closed] == list(range(closed[0]["t"], closed[0]["t"] + 10 * MINUTE, MINUTE)), "none is missing"
    growing = [m["k"] for m in messages if not m["k"]["x"]]
    assert growing and all(float(k["v"]) <= float(rows[k["t"]][5]) for k in growing)
    assert [m["E"] for m in messages] == sorted(m["E"] for m in messages)


def test_combined_streams_come_in_envelopes():
    with Sim("--now", START, "--speed", "20") as sim:
        url = sim.stream_url + "/stream?streams=btcusdt@kline_1m/btcusdt@ticker/btcusdt@miniTicker"
        messages = asyncio.run(read(url, lambda ms: len({m["stream"] for m in ms}) == 3))
    assert {m["data"]["e"] for m in messages} == {"kline", "24hrTicker", "24hrMiniTicker"}


def test_a_connection_ends_at_the_end_of_its_life_and_the_next_goes_on():
    with Sim("--now", START, "--speed", "60", "--stream-life", "90") as sim:
        async def listen():
            async with asyncio.timeout(60), websockets.connect(sim.stream_url + "/ws/btcusdt@kline_1m") as socket:
                with pytest.raises(websockets.ConnectionClosed) as ended:
                    while True:
                        await socket.recv()
            return ended.value.rcvd.code

        assert asyncio.run(listen()) == 1001
        assert asyncio.run(read(sim.stream_url + "/ws/btcusdt@kline_1m", lambda ms: len(ms) >= 3))
        assert sim.stats["streams"]["closed_by_age"] >= 1


def test_faulty_streams_double_swap_and_lose_messages_but_never_invent_any():
    with Sim("--now", START, "--speed", "60", "--stream-faults", "0.3", "--seed", "5") as sim:
        messages = []
        while len(messages) < 400:
            try:
                asyncio.run(read(sim.stream_url + "/ws/btcusdt@kline_1m", lambda ms: messages.append(ms[-1]) or len(messages) >= 400))
            except (websockets.ConnectionClosed, AttributeError, TypeError):
                pass
        stats = sim.stats["streams"]
    rows = {r[0]: r for r in recorded("2024-05-31")}
    assert all(as_row(k) == rows[k["t"]] for k in closed_klines(messages))
    assert min(stats[kind] for kind in ("dropped_messages", "duplicated", "reordered", "delayed")) > 0
    times = [m["E"] for m in messages]
    assert times != sorted(times) and len({json.dumps(m) for m in messages}) < len(messages)
