#!/usr/bin/env python3
"""The numbers that test/pgtap/quality compares with: scikit-learn on the same rows, prepared in the same way.

usage: BENCH_DSN='host=... dbname=...' quality.py [DATA SET ...]

The database holds the tables of test/data/load.sql; train and test rows come from test/data/folds.sql, the file the tests read too.
Preparation: numbers imputed by the median of the training rows, with a 0/1 column "is missing" where any was missing, and standardised
(population sd); text one-hot in all its levels, NULL being a level; a level that training did not show gets the training shares of the levels
(their expected value) instead of scikit-learn's zeros.  Prints the scores on the test rows, the mean prediction over them, and the
predictions for a few rows by their row_key: literals for the tests.  Needs numpy, pandas, psycopg2, scikit-learn.
"""
import hashlib
import os
import sys

import numpy as np
import pandas as pd
import psycopg2
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "folds.sql")
MISSING = "\x00missing"

# data set: (target, columns left out, positive class or None)
TASKS = {
    "telco": ("Churn", ["customerID"], "Yes"),
    "adult": ("income", ["split"], ">50K"),
    "titanic": ("survived", ["alive", "class", "embark_town", "who", "adult_male", "alone"], 1),
    "penguins": ("species", [], None),
    "california": ("median_house_value", [], None),
}


def read(name):
    with psycopg2.connect(os.environ.get("BENCH_DSN", "")) as connection, connection.cursor() as cursor:
        cursor.execute("set client_min_messages = warning")
        cursor.execute(open(FOLDS).read())
        cursor.execute(f"select * from {name}_folds")
        table = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description], dtype=object)
        connection.rollback()
    if name == "telco":
        table["TotalCharges"] = pd.to_numeric(table["TotalCharges"].astype(str).str.strip(), errors="coerce")
    return table


def preparation(X):
    """Unfitted transformer, and X with columns as numpy wants them."""
    numbers = [c for c in X if all(v is None or isinstance(v, (int, float)) for v in X[c])]
    texts = [c for c in X if c not in numbers]
    X = X.copy()
    for c in numbers:
        X[c] = X[c].astype(float)
    for c in texts:
        X[c] = X[c].where(X[c].notna(), MISSING).astype(str)
    return X, ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("missing", MissingIndicator(features="missing-only", error_on_new=False), numbers),
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts)])


def transform(prepare, X, trained):
    """Design of other rows than trained; unseen levels as the means of their columns in the trained design."""
    design = prepare.transform(X)
    texts, first = prepare.transformers_[2][2], prepare.output_indices_["texts"].start
    for levels in prepare.named_transformers_["texts"].categories_ if texts else []:
        block = slice(first, first + len(levels))
        design[design[:, block].sum(axis=1) == 0, block] = trained[:, block].mean(axis=0)
        first = block.stop
    return design


def report(name, model, X, y, keys, positive):
    """Scores, mean prediction, and six rows whose key is unique."""
    if isinstance(model, LinearRegression):
        p = model.predict(X)
        print(f"{name}: rmse {root_mean_squared_error(y, p):.10g}  r2 {r2_score(y, p):.10g}  mean prediction {p.mean():.12g}")
    elif positive is not None:
        p = model.predict_proba(X)[:, list(model.classes_).index(positive)]
        truth = y == positive
        print(f"{name}: roc_auc {roc_auc_score(truth, p):.10g}  accuracy {accuracy_score(truth, p >= 0.5):.10g}  mean prediction {p.mean():.12g}")
    else:
        p = model.predict_proba(X)
        print(f"{name}: accuracy {accuracy_score(y, model.predict(X)):.10g}  mean of each class " +
              ", ".join(f"{c} {v:.12g}" for c, v in zip(model.classes_, p.mean(axis=0))))
    unique = keys[~keys.duplicated(keep=False)]
    for row in sorted(unique.index, key=lambda i: hashlib.sha256(keys[i].encode()).hexdigest())[:6]:
        v = p[keys.index.get_loc(row)]
        print(f"    ('{keys[row]}', " + ", ".join(f"{x:.12g}" for x in np.atleast_1d(v)) + "),")


def run(name):
    target, left_out, positive = TASKS[name]
    table = read(name)
    train = table["train"].astype(bool)
    y = table[target].astype(float) if name == "california" else table[target]
    y = y if positive != 1 else y.astype(int)
    X, prepare = preparation(table.drop(columns=[target, "row_key", "train"] + left_out))
    design = prepare.fit_transform(X[train])
    if name == "california":
        model = LinearRegression().fit(design, y[train])
    else:
        labels = y[train].to_numpy(dtype=int if positive == 1 else object)
        model = LogisticRegression(C=1, tol=1e-10, max_iter=10000, solver="newton-cholesky").fit(design, labels)
    print(f"{name}: {train.sum()} rows train, {(~train).sum()} test, {design.shape[1]} design columns")
    report(name, model, transform(prepare, X[~train], design), y[~train], table.loc[~train, "row_key"], positive)


print(f"scikit-learn {sklearn.__version__}")
for data_set in sys.argv[1:] or TASKS:
    run(data_set)
