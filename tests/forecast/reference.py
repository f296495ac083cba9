"""Prophet and StatsForecast as references: their models on our fixtures, and one plain posterior for everybody."""

import csv
import logging
import pathlib
import warnings

import numpy as np
import pandas as pd

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "forecast"
HALVINGS = ["2016-07-09", "2020-05-11", "2024-04-20"]

warnings.filterwarnings("ignore")
for name in ("prophet", "cmdstanpy"):
    logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger(name).disabled = True


def closes(name):
    """Days since 1970-01-01 and closes of a fixture."""
    with open(DATA / f"{name}.csv") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([int(r[0]) for r in rows]), np.array([float(r[1]) for r in rows])


def frame(day, y, regressors=False):
    df = pd.DataFrame({"ds": pd.to_datetime(day, unit="D"), "y": y})
    if regressors:
        df["ma7"] = df.y.rolling(7, min_periods=1).mean()
        df["ma30"] = df.y.rolling(30, min_periods=1).mean()
    return df


def prophet(mode="additive", prior=0.05, halvings=False, regressors=False, growth="linear"):
    from prophet import Prophet

    holidays = None
    if halvings:
        holidays = pd.DataFrame({"holiday": "halving", "ds": pd.to_datetime(HALVINGS), "lower_window": -7, "upper_window": 7})
    model = Prophet(growth=growth, seasonality_mode=mode, changepoint_prior_scale=prior, holidays=holidays)
    if regressors:
        model.add_regressor("ma7")
        model.add_regressor("ma30")
    return model


def log_posterior(inputs, k, m, delta, beta, sigma):
    """Of Prophet's own Stan data at any parameters, without constants; written from the model's definition."""
    t, c, y, x = (np.asarray(v, float) for v in (inputs.t, inputs.t_change, inputs.y, inputs.X))
    delta, beta = np.asarray(delta, float), np.asarray(beta, float)
    if inputs.trend_indicator == 2:
        trend = np.full_like(t, m)
    else:
        z = k * t + np.maximum(t[:, None] - c, 0) @ delta
        trend = z + m if inputs.trend_indicator == 0 else np.asarray(inputs.cap) / (1 + np.exp(-(z - k * m)))
    yhat = trend * (1 + x @ (np.asarray(inputs.s_m) * beta)) + x @ (np.asarray(inputs.s_a) * beta)
    residual = y - yhat
    return -(len(y) * np.log(sigma) + residual @ residual / (2 * sigma**2) + k**2 / 50 + m**2 / 50
             + np.abs(delta).sum() / inputs.tau + 2 * sigma**2 + np.sum(beta**2 / np.asarray(inputs.sigmas) ** 2) / 2)


def optimum(model):
    """k, m, delta, beta, sigma of a fitted Prophet."""
    p = model.params
    return p["k"].item(), p["m"].item(), p["delta"][0], p["beta"][0], p["sigma_obs"].item()
