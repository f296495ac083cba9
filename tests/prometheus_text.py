"""Prometheus' text exposition format 0.0.4, read as its documentation describes it and no more leniently."""

import re
import urllib.request

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9][0-9.e+-]*|NaN|[+-]Inf)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse(text):
    """{name: {labels as sorted tuple of pairs: value}}; asserts that every family has its HELP and TYPE, once and before its samples,
    that samples of one family stand together, and that none is told twice."""
    assert text.endswith("\n")
    samples, types, helped, current = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped, f"two HELP lines of {name}"
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current not in types and kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == current.endswith("_total"), f"{current} is called a {kind}"
            types[current] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            name, labels, value = match.groups()
            family = name
            if types[current] == "histogram":
                family, suffix = name.rsplit("_", 1)
                assert suffix in ("bucket", "sum", "count"), line
            assert family == current and current in helped, f"{name} stands outside its family"
            pairs = LABEL.findall(labels or "")
            assert "".join(f'{k}="{v}",' for k, v in pairs).rstrip(",") == (labels or "").rstrip(","), f"labels: {labels!r}"
            family = samples.setdefault(name, {})
            assert tuple(sorted(pairs)) not in family, f"twice: {line!r}"
            family[tuple(sorted(pairs))] = float(value)
    for name, kind in types.items():
        if kind == "histogram":
            check_histogram(name, samples)
    return samples


def check_histogram(name, samples):
    """Buckets (of one histogram without labels) add up, in the order of their bounds, and the last has all."""
    buckets = [(float(labels[0][1]), count) for labels, count in samples[name + "_bucket"].items()]
    assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), samples[name + "_count"][()]), f"{name}: {buckets}"


class Metrics:
    """What a /metrics page said, as metrics("name", label="value")."""

    def __init__(self, text):
        self.samples = parse(text)

    def __call__(self, name, **labels):
        return self.samples[name][tuple(sorted(labels.items()))]

    @property
    def stage(self):
        (((label, value),),) = self.samples["chandler_stage"]
        assert label == "stage"
        return value


def scrape(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return Metrics(answer.read().decode())
