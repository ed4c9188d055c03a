#!/usr/bin/env python3
"""What a user does today instead: pull the table out, train in Python, write predictions back.  bench.py starts it, one workload a process.

usage: peers.py [--dsn DSN] [--threads 2] [--pull csv|bin] [--store] linreg|logreg|auc|describe|transform

pull csv: COPY CSV and pandas.read_csv, the usual fast way; bin: COPY BINARY of columns without NULL and numpy.frombuffer, the expert's way.
linreg:   LinearRegression, f28 by f01 .. f27;  logreg: LogisticRegression, y by f01 .. f28, standardised.  NULLs become the median of the training
          rows; rows with id % 5 = 0 are the holdout that is scored.  --store: also predict every row and write the predictions back by COPY.
auc:      roc_auc_score of y by -f24 (f24 alone is pulled).
describe: DataFrame.describe() of f01 .. f28.
transform: f01 .. f28 through a Pipeline of SimpleImputer (median) and StandardScaler, all columns written back by COPY.
Prints one JSON line: seconds of each step, of the whole process after its start, quality on the holdout, peak memory.
"""
import argparse
import json
import os
import resource
import time

START = time.perf_counter()
parser = argparse.ArgumentParser()
parser.add_argument("--dsn", default=os.environ.get("BENCH_DSN", ""))
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--pull", choices=["csv", "bin"], default="csv")
parser.add_argument("--store", action="store_true")
parser.add_argument("workload", choices=["linreg", "logreg", "auc", "describe", "transform"])
ARGS = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(ARGS.threads)

import numpy as np
import pandas as pd

from export import FEATURES, NULLABLE, RESULT, Step, pull_bin, pull_csv, write_back

def prepare(X, train):
    for j in (FEATURES.index(c) for c in NULLABLE):
        missing = np.isnan(X[:, j])
        X[missing, j] = np.nanmedian(X[train, j])
    if ARGS.workload == "logreg":
        from sklearn.preprocessing import StandardScaler
        X = StandardScaler(copy=False).fit(X[train]).transform(X)
    return X


def fit(X, y):
    if ARGS.workload == "linreg":
        from sklearn.linear_model import LinearRegression
        return LinearRegression().fit(X, y)
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression(max_iter=200).fit(X, y)


def train():
    ids, y, X = PULLED
    holdout = ids % 5 == 0
    with Step("prep"):
        X = prepare(X, ~holdout)
        if ARGS.workload == "linreg":
            X, y = X[:, :27], X[:, 27]
        Xt, yt = X[~holdout], y[~holdout]
    with Step("train"):
        model = fit(Xt, yt)
    with Step("score"):
        if ARGS.workload == "linreg":
            RESULT["r2"] = round(model.score(X[holdout], y[holdout]), 6)
        else:
            from sklearn.metrics import roc_auc_score
            RESULT["auc"] = round(roc_auc_score(y[holdout], model.predict_proba(X[holdout])[:, 1]), 6)
    if ARGS.store:
        with Step("store"):
            write_back(ARGS.dsn, ids, model.predict(X) if ARGS.workload == "linreg" else model.predict_proba(X)[:, 1])


def transform():
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    with Step("prep"):
        X = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(copy=False)).fit_transform(PULLED[2])
    with Step("store"):
        write_back(ARGS.dsn, PULLED[0], X)


with Step("pull"):
    PULLED = (pull_csv if ARGS.pull == "csv" else pull_bin)(ARGS.dsn, ["f24"] if ARGS.workload == "auc" else FEATURES)
if ARGS.workload == "auc":
    from sklearn.metrics import roc_auc_score
    with Step("score"):
        RESULT["auc"] = round(roc_auc_score(PULLED[1], -PULLED[2][:, 0]), 6)
elif ARGS.workload == "describe":
    with Step("describe"):
        pd.DataFrame(PULLED[2], columns=FEATURES).describe()
elif ARGS.workload == "transform":
    transform()
else:
    train()
RESULT["process_s"] = round(time.perf_counter() - START, 3)
RESULT["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(RESULT))
