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
            assert current not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == current.endswith("_total"), f"{current} is called a {kind}"
            types[current] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            name, labels, value = match.groups()
            assert name == current and name in helped, f"{name} stands outside its family"
            pairs = LABEL.findall(labels or "")
            assert "".join(f'{k}="{v}",' for k, v in pairs).rstrip(",") == (labels or "").rstrip(","), f"labels: {labels!r}"
            family = samples.setdefault(name, {})
            assert tuple(sorted(pairs)) not in family, f"twice: {line!r}"
            family[tuple(sorted(pairs))] = float(value)
    return samples


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
