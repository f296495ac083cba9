#!/usr/bin/env python3
"""How fast `chandler consume --once` reads a topic, beside kcat, which only reads it: both in the same run, on the same broker.

    bench_speed.py PROGRAM [--messages 2000000] [--brokers HOST:PORT]     # scripts/kafka start comes first
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

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


def timed(command, **options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(["/usr/bin/env", *command], check=True, stdin=subprocess.DEVNULL, **options)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    topic = f"bench-{os.getpid()}"
    size = 0
    producer = subprocess.Popen(["kcat", "-P", "-b", arguments.brokers, "-t", topic, "-K|", "-X", "compression.codec=lz4",
                                 "-X", "queue.buffering.max.messages=500000", "-X", "linger.ms=50"], stdin=subprocess.PIPE)
    for text in messages(arguments.messages):
        size += len(text)
        producer.stdin.write(text.encode())
    producer.stdin.close()
    assert producer.wait() == 0
    print(f"{arguments.messages} messages of {size // arguments.messages} bytes", flush=True)

    best = {}
    for _ in range(arguments.rounds):
        seconds, cpu, _ = timed(["kcat", "-C", "-q", "-b", arguments.brokers, "-t", topic, "-o", "beginning", "-e"],
                                stdout=subprocess.DEVNULL)
        print(f"kcat: {arguments.messages / seconds:,.0f}/s, {cpu:.1f} s of CPU", flush=True)
        best["kcat"] = min(best.get("kcat", 1e9), seconds)
        with tempfile.TemporaryDirectory() as lake:
            seconds, cpu, done = timed([arguments.program, "consume", "--once", "--brokers", arguments.brokers, "--topic", topic,
                                        "--lake", lake, "--json"], stdout=subprocess.PIPE)
        report = json.loads(done.stdout)
        assert report["messages"] == arguments.messages, report
        print(f"chandler consume --once: {arguments.messages / seconds:,.0f}/s, {cpu:.1f} s of CPU, "
              f"{report['minutes_added']} minutes stored", flush=True)
        best["chandler"] = min(best.get("chandler", 1e9), seconds)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"ratio of the best: {best['kcat'] / best['chandler']:.2f}; largest process {memory} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
