#!/usr/bin/env python3
"""How fast `chandler consume` reads a topic, beside kcat, which only reads it: both in the same run, on the same broker.

    scripts/kafka start                                    # comes first
    bench_speed.py PROGRAM                                 # fills a topic, then `consume --once` beside kcat
    bench_speed.py PROGRAM --fill TOPIC                    # fills a topic and ends
    bench_speed.py PROGRAM --topic TOPIC                   # measures over a topic that is filled
    bench_speed.py PROGRAM --topic TOPIC --members 1,2,4   # so many members of one group share its partitions
"""

import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

START = 1_718_841_600_000  # 2024-06-20 00:00 UTC
SYMBOLS, SIGHTS = 100, 20  # of each candle: nineteen while it is open, one closed


def messages(count):
    """The exchange's kline events, keyed by symbol, as kcat takes them."""
    sent, minute = 0, 0
    while sent < count:
        t = START + minute * 60_000
        for sight in range(SIGHTS):
            event, closed = t + (sight + 1) * 3000, "true" if sight == SIGHTS - 1 else "false"
            lines = []
            for s in range(SYMBOLS):
                name, base = f"SYM{s:03d}USDT", 100 + s + minute % 7
                lines.append(
                    f'{name}|{{"e":"kline","E":{event},"s":"{name}","k":{{"t":{t},"T":{t + 59999},"s":"{name}","i":"1m","f":1,'
                    f'"L":{sight},"o":"{base}.10000000","c":"{base}.{30 + sight}000000","h":"{base}.90000000","l":"{base}.05000000",'
                    f'"v":"{sight}.50000000","n":{sight},"x":{closed},"q":"{sight * base}.5","V":"0.25","Q":"{base}.1","B":"0"}}}}\n')
            yield "".join(lines)
            sent += SYMBOLS
            if sent >= count:
                return
        minute += 1


def fill(topic, arguments):
    size = 0
    producer = subprocess.Popen(["kcat", "-P", "-b", arguments.brokers, "-t", topic, "-K|", "-X", "compression.codec=lz4",
                                 "-X", "queue.buffering.max.messages=500000", "-X", "linger.ms=50"], stdin=subprocess.PIPE)
    for text in messages(arguments.messages):
        size += len(text) - SYMBOLS * (len("SYM000USDT|") + 1)
        producer.stdin.write(text.encode())
    producer.stdin.close()
    assert producer.wait() == 0
    print(f"{arguments.messages} messages of {size // arguments.messages} bytes in topic {topic}", flush=True)


class Cost:
    def __init__(self, wall, usage):
        self.wall, self.cpu, self.mib = wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024

    def __str__(self):
        return f"{self.wall:5.2f} s, {self.cpu:5.2f} s of CPU, {self.mib} MiB"


def timed(command, output):
    """Through env: a process begins with the memory of its parent on its account."""
    started = time.monotonic()
    process = subprocess.Popen(["/usr/bin/env", *command], stdin=subprocess.DEVNULL, stdout=output)
    text = process.stdout.read() if output == subprocess.PIPE else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(time.monotonic() - started, usage), text


def beside_kcat(topic, arguments):
    best = {}
    for _ in range(arguments.rounds):
        cost, _ = timed(["kcat", "-C", "-q", "-b", arguments.brokers, "-t", topic, "-o", "beginning", "-e"], subprocess.DEVNULL)
        print(f"kcat                     {arguments.messages / cost.wall:9,.0f}/s  {cost}", flush=True)
        best["kcat"] = min(best.get("kcat", 1e9), cost.wall)
        with tempfile.TemporaryDirectory() as lake:
            cost, text = timed([arguments.program, "consume", "--once", "--brokers", arguments.brokers, "--topic", topic,
                                "--lake", lake, "--json"], subprocess.PIPE)
        report = json.loads(text)
        assert report["messages"] == arguments.messages, report
        # The last sight of each candle closes it.
        assert report["minutes_added"] == arguments.messages // SIGHTS, report
        print(f"chandler consume --once  {arguments.messages / cost.wall:9,.0f}/s  {cost}", flush=True)
        best["chandler"] = min(best.get("chandler", 1e9), cost.wall)
    print(f"ratio of the best: {best['kcat'] / best['chandler']:.2f} of kcat's rate (goal 0.8)")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read_so_far(ports):
    """What the members say of themselves: messages that all of them have read."""
    total = 0
    for port in ports:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                total += int(float(re.search(rb"^chandler_messages_total (\S+)", answer.read(), re.M)[1]))
        except OSError:
            pass
    return total


def read_by_group(topic, arguments, count, name):
    """A topic read by so many members of a group from its beginning: (s from the first message to the last, s with joining and the
    last commit, s of processor time, MiB of the largest)."""
    with tempfile.TemporaryDirectory() as lake:
        started, first = time.monotonic(), None
        ports = [free_port() for _ in range(count)]
        group = [subprocess.Popen(["/usr/bin/env", arguments.program, "consume", "--brokers", arguments.brokers, "--topic", topic,
                                   "--group", name, "--lake", lake, "--trigger", "2s", "--metrics-port", str(port), "--json"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for port in ports]
        while (read := read_so_far(ports)) < arguments.messages:
            # What was read before anybody looked does not count, and neither does the time that it took.
            first = first or (read and (time.monotonic(), read))
            time.sleep(0.02)
            assert all(p.poll() is None for p in group)
            assert time.monotonic() - started < 200, read
        last = time.monotonic()
        for process in group:
            process.send_signal(signal.SIGTERM)
        added = cpu = mib = 0
        for process in group:
            text = process.stdout.read()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            added += json.loads(text)["minutes_added"]
            cpu, mib = cpu + usage.ru_utime + usage.ru_stime, max(mib, usage.ru_maxrss // 1024)
        # Messages may be read twice when partitions change hands; minutes are stored once.
        assert added == arguments.messages // SIGHTS, added
        return (arguments.messages - first[1]) / (last - first[0]), time.monotonic() - started, cpu, mib


def members(topic, arguments):
    alone = None
    for count in map(int, arguments.members.split(",")):
        runs = [read_by_group(topic, arguments, count, f"bench-{os.getpid()}-{count}-{i}") for i in range(arguments.rounds)]
        rate, wall, cpu = (statistics.median(r[i] for r in runs) for i in range(3))
        alone = alone or rate
        print(f"{count} member(s)  {rate:9,.0f}/s (runs: {', '.join(f'{r[0]:,.0f}' for r in runs)}), {rate / alone:.2f} of the first's; with "
              f"joining and the last commit {wall:5.2f} s; {cpu:5.2f} s of CPU, largest {max(r[3] for r in runs)} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--messages", type=int, default=2_000_000, help="a multiple of 2,000")
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fill", metavar="TOPIC")
    parser.add_argument("--topic")
    parser.add_argument("--members", metavar="N,…")
    arguments = parser.parse_args()
    topic = arguments.topic or arguments.fill or f"bench-{os.getpid()}"
    if not arguments.topic:
        fill(topic, arguments)
    if arguments.fill:
        return 0
    members(topic, arguments) if arguments.members else beside_kcat(topic, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
