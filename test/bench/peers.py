#!/usr/bin/env python3
"""What a user does today instead: pull the table out, train in Python, write predictions back.  bench.py starts it, one workload a process.

usage: peers.py [--dsn DSN] [--threads 2] [--pull csv|bin] [--store] linreg|logreg|auc|describe

pull csv: COPY CSV and pandas.read_csv, the usual fast way; bin: COPY BINARY of columns without NULL and numpy.frombuffer, the expert's way.
linreg:   LinearRegression, f28 by f01 .. f27;  logreg: LogisticRegression, y by f01 .. f28, standardised.  NULLs become the median of the training
          rows; rows with id % 5 = 0 are the holdout that is scored.  --store: also predict every row and write the predictions back by COPY.
auc:      roc_auc_score of y by -f24 (f24 alone is pulled).
describe: DataFrame.describe() of f01 .. f28.
Prints one JSON line: seconds of each step, of the whole process after its start, quality on the holdout, peak memory.
"""
import argparse
import io
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
parser.add_argument("workload", choices=["linreg", "logreg", "auc", "describe"])
ARGS = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(ARGS.threads)

import numpy as np
import pandas as pd
import psycopg2

FEATURES = [f"f{i:02d}" for i in range(1, 29)]
NULLABLE = ("f03", "f16", "f26")
RESULT = {}


class Step:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, *_):
        RESULT[self.name + "_s"] = round(time.perf_counter() - self.start, 3)


def pull_csv(columns):
    buffer = io.BytesIO()
    psycopg2.connect(ARGS.dsn).cursor().copy_expert(
        f"copy (select id, y::int, {', '.join(columns)} from bench_wide) to stdout (format csv)", buffer)
    buffer.seek(0)
    table = pd.read_csv(buffer, header=None, names=["id", "y"] + columns)
    return table["id"].to_numpy(), table["y"].to_numpy(), table[columns].to_numpy()


def pull_bin(columns):
    buffer = io.BytesIO()
    select = ", ".join(f"coalesce({c}, 'NaN') {c}" if c in NULLABLE else c for c in columns)
    psycopg2.connect(ARGS.dsn).cursor().copy_expert(f"copy (select id, y::int, {select} from bench_wide) to stdout (format binary)", buffer)
    row = np.dtype([("n", ">i2"), ("l0", ">i4"), ("id", ">i8"), ("l1", ">i4"), ("y", ">i4")]
                   + [field for c in columns for field in (("l" + c, ">i4"), (c, ">f8"))])
    raw = np.frombuffer(buffer.getbuffer(), dtype=row, offset=19, count=(buffer.tell() - 21) // row.itemsize)
    X = np.empty((len(raw), len(columns)))
    for j, c in enumerate(columns):
        X[:, j] = raw[c]
    return raw["id"].astype(np.int64), raw["y"].astype(np.int64), X


def write_back(ids, predictions):
    rows = np.empty(len(ids), dtype=[("n", ">i2"), ("l0", ">i4"), ("id", ">i8"), ("l1", ">i4"), ("p", ">f8")])
    rows["n"], rows["l0"], rows["l1"], rows["id"], rows["p"] = 2, 8, 8, ids, predictions
    connection = psycopg2.connect(ARGS.dsn)
    cursor = connection.cursor()
    cursor.execute("drop table if exists bench_peer; create unlogged table bench_peer (id bigint, p float8)")
    cursor.copy_expert("copy bench_peer from stdin (format binary)",
                       io.BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"))
    connection.commit()


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
            write_back(ids, model.predict(X) if ARGS.workload == "linreg" else model.predict_proba(X)[:, 1])


with Step("pull"):
    PULLED = (pull_csv if ARGS.pull == "csv" else pull_bin)(["f24"] if ARGS.workload == "auc" else FEATURES)
if ARGS.workload == "auc":
    from sklearn.metrics import roc_auc_score
    with Step("score"):
        RESULT["auc"] = round(roc_auc_score(PULLED[1], -PULLED[2][:, 0]), 6)
elif ARGS.workload == "describe":
    with Step("describe"):
        pd.DataFrame(PULLED[2], columns=FEATURES).describe()
else:
    train()
RESULT["process_s"] = round(time.perf_counter() - START, 3)
RESULT["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(RESULT))
