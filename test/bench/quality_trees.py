#!/usr/bin/env python3
"""How good are relearn's trees beside those of LightGBM, XGBoost and scikit-learn: same rows, same number of trees, leaves and rate, several seeds.

usage: BENCH_DSN='host=... dbname=...' quality_trees.py [--seeds N] [--jobs N] [--only boosting|forest] [DATA SET ...]

The database holds the extension and the tables of test/data/load.sql.  Each seed trains on other rows, because one more bin moves LightGBM's own AUC
on hflights by 0.003: seed s takes byte s of the hash that test/data/folds.sql takes byte 0 of; adult keeps the split of its authors.  Boosting: 100 trees,
31 leaves, rate 0.1, all else at each program's defaults (XGBoost: hist, lossguide).  Forest: 100 trees, min_samples_leaf 5; scikit-learn gets text
one-hot and, in another fit, as numbers, and the better mean counts.  Prints the mean over the seeds of AUC, accuracy or RMSE on the test rows, and
last the mean over data sets of the difference to the peer named in the bounds (AUC and accuracy as they are, RMSE relative).
Needs numpy, pandas, psycopg2, scikit-learn, lightgbm, xgboost.  Not timed.
"""
import argparse
import json
import os
import warnings

import lightgbm
import numpy as np
import pandas as pd
import psycopg2
import xgboost
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, roc_auc_score, root_mean_squared_error

FOLDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "folds.sql")

TRAIN_BELOW = {"letter": 205}  # of the 256 values of a byte

# data set: (target, columns left out, positive class or None, number or label, preprocess)
TASKS = {
    "telco": ("Churn", ["customerID"], "Yes", "auc", {"TotalCharges": "number"}),
    "adult": ("income", ["split"], ">50K", "auc", None),
    "hflights": ("late", [], True, "auc", None),
    "california": ("median_house_value", [], None, "rmse", None),
    "letter": ("lettr", [], None, "accuracy", None),
}


def fold(name, seed):
    """The SQL condition of the rows that train."""
    return "train" if name == "adult" else f"get_byte(sha256(convert_to(row_key, 'UTF8')), {seed}) < {TRAIN_BELOW.get(name, 180)}"


def read(cursor, name, seed):
    cursor.execute(f"SELECT *, {fold(name, seed)} AS trains FROM {name}_folds")
    table = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
    target, left_out, _, _, preprocess = TASKS[name]
    train = table.pop("trains").astype(bool).to_numpy()
    y = table[target].astype(float) if TASKS[name][3] == "rmse" else table[target]
    X = table.drop(columns=[target, "row_key", "train"] + left_out)
    for column in X:
        if column in (preprocess or {}):
            X[column] = pd.to_numeric(X[column].astype(str).str.strip(), errors="coerce")
        elif X[column].map(lambda v: v is None or isinstance(v, (int, float))).all():
            X[column] = X[column].astype(float)
        else:
            X[column] = X[column].astype("category")
    return X, y, train


def score(kind, y, answer):
    return {"auc": roc_auc_score, "accuracy": accuracy_score, "rmse": root_mean_squared_error}[kind](y, answer)


def answers(model, X, kind, positive):
    if kind == "auc":
        return model.predict_proba(X)[:, list(model.classes_).index(positive)]
    return model.predict(X)


def peer(make, X, y, train, name):
    """Score of a fitted peer; labels as numbers where it wants them."""
    kind, positive = TASKS[name][3], TASKS[name][2]
    labels = y
    if kind != "rmse":
        codes, levels = pd.factorize(y, sort=True)
        labels = pd.Series(codes)
        positive = None if positive is None else list(levels).index(positive)
    truth = labels[~train] == positive if kind == "auc" else labels[~train]
    return score(kind, truth, answers(make(kind).fit(X[train], labels[train]), X[~train], kind, positive))


def lightgbm_model(kind, seed, jobs):
    M = lightgbm.LGBMRegressor if kind == "rmse" else lightgbm.LGBMClassifier
    return M(n_estimators=100, num_leaves=31, learning_rate=0.1, random_state=seed, n_jobs=jobs, verbose=-1)


def xgboost_model(kind, seed, jobs):
    M = xgboost.XGBRegressor if kind == "rmse" else xgboost.XGBClassifier
    return M(n_estimators=100, max_leaves=31, max_depth=0, grow_policy="lossguide", learning_rate=0.1, tree_method="hist",
             enable_categorical=True, random_state=seed, n_jobs=jobs)


def forest_model(kind, seed, jobs):
    M = RandomForestRegressor if kind == "rmse" else RandomForestClassifier
    return M(n_estimators=100, min_samples_leaf=5, random_state=seed, n_jobs=jobs, **({"max_features": 1.0} if kind == "rmse" else {}))


def forest_designs(X):
    """Text as numbers, and as columns of their own; numbers that are missing stay so."""
    codes = X.copy()
    for column in X.select_dtypes("category"):
        codes[column] = X[column].cat.codes.astype(float)
    yield codes
    if len(X.select_dtypes("category").columns):
        yield pd.get_dummies(X, dtype=float)


def relearn(cursor, name, algorithm, seed, jobs):
    target, left_out, positive, kind, preprocess = TASKS[name]
    cursor.execute("SELECT ml.train('quality', %s, %s, %s, params => %s, split => '{\"train\": 1}', exclude => %s, preprocess => %s, seed => %s)",
                   (f"SELECT * FROM {name}_folds WHERE {fold(name, seed)}", target, algorithm, json.dumps({"n_jobs": jobs} if algorithm == "gradient_boosting" else {}), ["row_key", "train"] + left_out,
                    preprocess and json.dumps(preprocess), seed))
    cursor.execute("SELECT ml.deploy('quality', (SELECT max(version) FROM ml.versions WHERE model = 'quality'))")
    truth = f'"{target}"'
    cursor.execute({
        "auc": f"SELECT ml.roc_auc({truth} = %s, ml.predict_proba('quality', t.*)) FROM {name}_folds t WHERE NOT ({fold(name, seed)})",
        "accuracy": f"SELECT avg(({truth} = ml.predict_class('quality', t.*))::int)::float8 FROM {name}_folds t WHERE NOT ({fold(name, seed)})",
        "rmse": f"SELECT sqrt(avg(({truth} - ml.predict('quality', t.*)) ^ 2)) FROM {name}_folds t WHERE NOT ({fold(name, seed)})",
    }[kind], (positive,) if kind == "auc" else None)
    result = cursor.fetchone()[0]
    cursor.execute("SELECT ml.drop_model('quality')")
    return result


def scores(cursor, name, which, seed, jobs):
    """{program: score} on the test rows of a seed; scikit-learn's forest twice."""
    X, y, train = read(cursor, name, seed)
    if which == "boosting":
        return {"relearn": relearn(cursor, name, "gradient_boosting", seed, jobs),
                "LightGBM": peer(lambda kind: lightgbm_model(kind, seed, jobs), X, y, train, name),
                "XGBoost": peer(lambda kind: xgboost_model(kind, seed, jobs), X, y, train, name)}
    designs = zip(("scikit-learn", "scikit-learn one-hot"), forest_designs(X))
    return {"relearn": relearn(cursor, name, "random_forest", seed, jobs),
            **{program: peer(lambda kind: forest_model(kind, seed, jobs), design, y, train, name) for program, design in designs}}


def compare(cursor, name, which, arguments):
    metric = TASKS[name][3]
    means = pd.DataFrame([scores(cursor, name, which, seed, arguments.jobs) for seed in range(arguments.seeds)]).mean()
    ours, peers = means["relearn"], means.drop("relearn")
    if metric == "rmse":
        better = (peers.filter(like="scikit").min() if which == "forest" else peers["LightGBM"]) / ours - 1
    else:
        better = ours - (peers.max() if which == "forest" else peers["LightGBM"])
    print(f"| {which} | {name} | {metric} | {ours:.5f} | " + ", ".join(f"{p} {v:.5f}" for p, v in peers.items()) + f" | {better:+.5f} |", flush=True)
    return better


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=["boosting", "forest"])
    parser.add_argument("sets", nargs="*")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    connection = psycopg2.connect(os.environ.get("BENCH_DSN", ""))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET client_min_messages = warning")
    cursor.execute(open(FOLDS).read())
    print(f"LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}; {arguments.seeds} seeds")
    print("| | data set | metric | relearn | peers | better by |\n|---|---|---|---|---|---|")
    for which in [arguments.only] if arguments.only else ["boosting", "forest"]:
        difference = [compare(cursor, name, which, arguments) for name in arguments.sets or TASKS]
        print(f"{which}: better by {np.mean(difference):+.5f} on average, {min(difference):+.5f} at worst", flush=True)


main()
