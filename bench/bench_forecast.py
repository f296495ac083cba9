"""Forecasting against Prophet and StatsForecast, in one run on one machine: times as ratios, and accuracy beside them.

    python bench/bench_forecast.py [--program build/release/chandler] [--origins 13] [--symbols 100]

1. Prophet's grid: 2 seasonality modes x 3 changepoint priors on 4,000 days with halvings and two regressors, fitted and
   predicted; the log posteriors of both optima under one function.
2. Accuracy on real BTC closes, 30 days ahead, from origins in the last fifth: theirs, and what `chandler forecast` reports.
3. The whole job for many symbols of 1,825 days.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "forecast"))
from reference import closes, frame, log_posterior, optimum, prophet  # noqa: E402

PRIORS = (0.01, 0.05, 0.1)


def walk(days, seed):
    random = np.random.default_rng(seed)
    return np.arange(16_000, 16_000 + days), 100 * np.exp(np.cumsum(0.03 * random.standard_normal(days)))


def grid(program):
    day, y = walk(4_030, 1)
    df = frame(day, y, regressors=True)
    train = df.iloc[:-30]
    theirs, worst = 0.0, np.inf
    ours = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "series.csv"
        out = df.drop(columns="ds")
        out.insert(0, "day", day)
        out.to_csv(path, index=False)
        probe = program.parent / "src/forecast/forecast_probe"
        for mode in ("additive", "multiplicative"):
            done = subprocess.run([probe, "prophet", path, mode, "linear", ",".join(map(str, PRIORS)), "1", "30"],
                                  capture_output=True, text=True, check=True)
            fits = json.loads(done.stdout)
            ours += fits[0]["fit_ms"] / 1e3 + fits[-1]["predict_ms"] / 1e3
            for prior, fit in zip(PRIORS, fits):
                start = time.perf_counter()
                model = prophet(mode, prior, True, True).fit(train)
                model.predict(df)
                theirs += time.perf_counter() - start
                inputs = prophet(mode, prior, True, True).preprocess(train.copy())
                at_ours = log_posterior(inputs, fit["k"], fit["m"], fit["delta"], fit["beta"], fit["sigma"])
                worst = min(worst, at_ours - log_posterior(inputs, *optimum(model)))
    print("## Prophet's grid of six, 4,000 days, halvings, two regressors: fits and predictions")
    print(f"Prophet   {theirs:8.2f} s\nchandler  {ours:8.3f} s   {theirs / ours:.0f} times as fast; "
          f"log posterior higher by {worst:.3f} or more in each of the six\n")


def score(rows):
    actual, mean, low, high = (np.concatenate([r[i] for r in rows]) for i in range(4))
    return 100 * np.mean(np.abs(actual - mean) / actual), 100 * np.mean((low <= actual) & (actual <= high))


def accuracy(program, origins):
    from statsforecast.models import AutoETS, AutoTheta

    day, y = closes("BTC_2017")
    test = int(len(y) * 0.8)
    cuts = list(range(test, len(y) - 30, 15))
    cuts = [cuts[i] for i in np.unique(np.linspace(0, len(cuts) - 1, min(origins, len(cuts))).round().astype(int))]
    results, seconds = {}, {}
    for cut in cuts:
        def record(name, make):
            start = time.perf_counter()
            mean, low, high = make()
            seconds[name] = seconds.get(name, 0) + time.perf_counter() - start
            results.setdefault(name, []).append((y[cut:cut + 30], mean, low, high))

        def stats(model):
            p = model.fit(np.log(y[:cut])).predict(30, level=[80])
            return np.exp(p["mean"]), np.exp(p["lo-80"]), np.exp(p["hi-80"])

        def facebook():
            model = prophet().fit(frame(day[:cut], y[:cut]))
            p = model.predict(frame(day[cut:cut + 30], y[cut:cut + 30])[["ds"]])
            return p.yhat.to_numpy(), p.yhat_lower.to_numpy(), p.yhat_upper.to_numpy()

        record("Prophet", facebook)
        record("AutoETS on logs", lambda: stats(AutoETS(season_length=1)))
        record("AutoTheta on logs", lambda: stats(AutoTheta(season_length=1)))
    print(f"## BTC closes, 30 days ahead, {len(cuts)} origins in the last fifth")
    print(f"{'':28}{'MAPE %':>8}{'80% covered':>13}{'s a forecast':>14}")
    for name, rows in results.items():
        mape, covered = score(rows)
        print(f"{name:28}{mape:8.2f}{covered:12.1f}%{seconds[name] / len(cuts):14.3f}")
    with tempfile.TemporaryDirectory() as folder:
        lake = load(program, pathlib.Path(folder), {"BTC2017": (day, y)})
        start = time.perf_counter()
        done = run_forecast(program, lake)
        elapsed = time.perf_counter() - start
        symbol = done["symbols"][0]
        for model in symbol["models"]:
            own = model["own_coverage80"]
            print(f"{'chandler ' + model['model']:28}{model['test']['mape']:8.2f}{100 * model['test']['coverage80']:12.1f}%"
                  + (f"   (own theory {100 * own:.0f}%)" if own is not None else ""))
        print(f"chandler: {symbol['training_origins']} + {symbol['test_origins']} origins x 18 candidates in {elapsed:.1f} s\n"
              f"{symbol['verdict']}\n")


def load(program, folder, series):
    lake = folder / "lake"
    for symbol, (day, y) in series.items():
        path = folder / f"{symbol}.csv"
        with open(path, "w") as file:
            file.write("Timestamp,Open,High,Low,Close,Volume\n")
            file.writelines(f"{d * 86400},{v!r},{v!r},{v!r},{v!r},1\n" for d, v in zip(map(int, day), map(float, y)))
        subprocess.run([program, "import", path, "--symbol", symbol, "--interval", "1d", "--lake", lake, "--quiet"], check=True,
                       capture_output=True)
    return lake


def run_forecast(program, lake):
    done = subprocess.run([program, "forecast", "--json", "--lake", lake], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def whole_job(program, symbols):
    with tempfile.TemporaryDirectory() as folder:
        lake = load(program, pathlib.Path(folder), {f"S{i:03}USDT": walk(1_825, i) for i in range(symbols)})
        before, start = cpu_seconds(), time.perf_counter()
        done = run_forecast(program, lake)
        elapsed, cpu = time.perf_counter() - start, cpu_seconds() - before
    assert len(done["symbols"]) == symbols
    print(f"## The whole job: {symbols} symbols of 1,825 days, grid, rolling origins, all models, plots\n"
          f"chandler  {elapsed:8.1f} s wall, {cpu:.1f} s of cpu")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, 
                        default=os.environ.get("CHANDLER_PROGRAM", ROOT / "build/release/chandler"))
    parser.add_argument("--origins", type=int, default=13)
    parser.add_argument("--symbols", type=int, default=100)
    arguments = parser.parse_args()
    grid(arguments.program.resolve())
    accuracy(arguments.program.resolve(), arguments.origins)
    whole_job(arguments.program.resolve(), arguments.symbols)


if __name__ == "__main__":
    main()
