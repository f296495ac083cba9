"""Our kernels against the real Prophet and StatsForecast, on real closes. Offline: both are in the test environment."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

pytest.importorskip("prophet")
from reference import closes, frame, log_posterior, optimum, prophet  # noqa: E402

PROGRAM = os.environ.get("CHANDLER_PROGRAM", str(pathlib.Path(__file__).parents[2] / "build/release/chandler"))
PROBE = pathlib.Path(PROGRAM).parent / "src/forecast/forecast_probe"


def probe(*arguments):
    done = subprocess.run([PROBE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(path, df, day):
    out = df.drop(columns="ds")
    out.insert(0, "day", day)
    out.to_csv(path, index=False)


def ours(tmp_path, df, day, mode, priors, halvings, growth="linear", horizon=30, cap=None):
    path = tmp_path / "series.csv"
    write(path, df.drop(columns="cap", errors="ignore"), day)
    extra = [] if cap is None else [cap]
    return probe("prophet", path, mode, growth, ",".join(map(str, priors)), int(halvings), horizon, *extra)


def compare(df, mode, prior, halvings, regressors, fit, growth="linear"):
    """Log posteriors of Prophet's optimum and ours under one function, and the largest difference of yhat over the range."""
    train = df.iloc[:-30]
    inputs = prophet(mode, prior, halvings, regressors, growth).preprocess(train.copy())
    ours_at = log_posterior(inputs, fit["k"], fit["m"], fit["delta"] or [0.0], fit["beta"], fit["sigma"])
    assert ours_at == pytest.approx(fit["log_posterior"], rel=1e-9)
    span = df.y.max() - df.y.min()

    def difference(model):
        return np.abs(np.array(fit["yhat"]) - model.predict(df).yhat.to_numpy()).max() / span

    default = prophet(mode, prior, halvings, regressors, growth).fit(train.copy())
    value = log_posterior(inputs, *optimum(default))
    assert ours_at >= value - 1e-6, f"Prophet {value}, ours {ours_at}"
    if ours_at - value < 0.05:
        assert difference(default) < 0.005

    # Prophet stops early by default. From our optimum and with a ten-thousandth of its tolerance, it finds nothing better,
    # or its line search gives up at once.
    start = {"k": fit["k"], "m": fit["m"], "delta": np.array(fit["delta"] or [0.0]), "beta": np.array(fit["beta"]),
             "sigma_obs": fit["sigma"]}
    again = prophet(mode, prior, halvings, regressors, growth)
    again.stan_backend.set_options(newton_fallback=False)
    try:
        again.fit(train.copy(), init=start, tol_rel_obj=1.0)
        value = log_posterior(inputs, *optimum(again))
        assert value - ours_at < 0.01, f"Prophet {value}, ours {ours_at}"
        assert ours_at - value > 0.05 or difference(again) < 0.005
    except RuntimeError:
        pass

    # Prophet's own prediction at our parameters is ours.
    for name, entry in start.items():
        default.params[name] = np.array(entry).reshape((1, -1))
    assert difference(default) < 1e-6
    return default


@pytest.mark.parametrize("name", ["BTC_2017", "XRP"])
def test_defaults(tmp_path, name):
    day, y = closes(name)
    df = frame(day, y)
    fit = ours(tmp_path, df, day, "additive", [0.05], False)[0]
    assert fit["converged"]
    model = compare(df, "additive", 0.05, False, False, fit)
    theirs = model.predict(df).tail(30)
    width = (theirs.yhat_upper - theirs.yhat_lower).to_numpy().mean()
    assert (np.array(fit["upper"]) - np.array(fit["lower"])).mean() == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_the_grid_with_halvings_and_regressors(tmp_path, mode):
    day, y = closes("BTC")
    df = frame(day, y, regressors=True)
    priors = [0.01, 0.05, 0.1]
    for prior, fit in zip(priors, ours(tmp_path, df, day, mode, priors, True)):
        compare(df, mode, prior, True, True, fit)


@pytest.mark.parametrize("growth", ["flat", "logistic"])
def test_other_growths(tmp_path, growth):
    day, y = closes("BNB")
    df = frame(day, y)
    cap = None
    if growth == "logistic":
        cap = 1500
        df["cap"] = cap
    fit = ours(tmp_path, df, day, "additive", [0.05], False, growth, cap=cap)[0]
    compare(df, "additive", 0.05, False, False, fit, growth)


@pytest.mark.parametrize("name,logs", [("BTC", 1), ("ETH", 0)])
def test_smoothing_and_baselines(tmp_path, name, logs):
    from statsforecast.models import AutoETS, Naive, RandomWalkWithDrift, SeasonalNaive, Theta

    day, y = closes(name)
    path = tmp_path / "series.csv"
    write(path, frame(day, y), day)
    found = probe("smooth", path, 1, logs, 30)
    train = (np.log(y) if logs else y)[:-30]
    spread = train.max() - train.min()
    for model in ("ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN"):
        fit = AutoETS(season_length=1, model=model.replace("d", ""), damped="d" in model).fit(train)
        assert found[model]["aicc"] <= fit.model_["aicc"] + 0.01, model
        if found[model]["aicc"] > fit.model_["aicc"] - 0.01:
            assert np.abs(fit.predict(30)["mean"] - found[model]["mean"]).max() / spread < 0.005, model
    for ours_name, model in (("naive", Naive()), ("drift", RandomWalkWithDrift()), ("seasonal_naive", SeasonalNaive(7)),
                             ("theta", Theta(season_length=1))):
        theirs = model.fit(train).predict(30, level=[80])
        assert np.abs(theirs["mean"] - found[ours_name]["mean"]).max() / spread < 0.001, ours_name
        deviation = (theirs["hi-80"] - theirs["lo-80"]) / 2 / 1.2815515655446004
        # StatsForecast simulates Theta's interval with a few hundred paths.
        tolerance = 0.2 if ours_name == "theta" else 0.001
        np.testing.assert_allclose(found[ours_name]["deviation"], deviation, rtol=tolerance, err_msg=ours_name)
