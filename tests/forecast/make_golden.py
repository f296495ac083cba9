"""Writes tests/data/forecast/*_golden.csv with the Prophet and StatsForecast of the test environment."""

import csv

import numpy as np
from reference import DATA, closes, frame, log_posterior, optimum, prophet
from statsforecast.models import AutoETS, Theta

PROPHET_CASES = [(name, mode, prior, halvings) for name in ("BTC", "XRP") for mode in ("additive", "multiplicative")
                 for prior in (0.01, 0.05, 0.1) for halvings in (0, 1) if halvings == 0 or (name, prior) == ("BTC", 0.05)]

with open(DATA / "prophet_golden.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["series", "mode", "prior", "halvings", "log_posterior", "sigma", "k", "m", "changepoints", "delta and beta"])
    for name, mode, prior, halvings in PROPHET_CASES:
        df = frame(*closes(name))
        model = prophet(mode, prior, bool(halvings)).fit(df)
        k, m, delta, beta, sigma = optimum(model)
        inputs = prophet(mode, prior, bool(halvings)).preprocess(df)
        out.writerow([name, mode, prior, halvings, repr(float(log_posterior(inputs, k, m, delta, beta, sigma))), repr(sigma), repr(k),
                      repr(m), len(delta), *map(repr, map(float, delta)), *map(repr, map(float, beta))])

with open(DATA / "statsforecast_golden.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["series", "logs", "model", "aicc or squares", "alpha", "h=1", "h=30"])
    for name in ("BNB", "XRP"):
        for logs in (1, 0):
            y = closes(name)[1]
            y = np.log(y) if logs else y
            for model in ("ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN"):
                if model[0] == "M" and y.min() <= 0:
                    continue
                fit = AutoETS(season_length=1, model=model.replace("d", ""), damped="d" in model).fit(y)
                mean = fit.predict(30)["mean"]
                out.writerow([name, logs, model, repr(float(fit.model_["aicc"])), repr(float(fit.model_["par"][0])),
                              repr(float(mean[0])), repr(float(mean[29]))])
            fit = Theta(season_length=1).fit(y)
            mean = fit.predict(30)["mean"]
            out.writerow([name, logs, "theta", "", repr(float(fit.model_["par"]["alpha"])), repr(float(mean[0])),
                          repr(float(mean[29]))])
