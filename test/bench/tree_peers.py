#!/usr/bin/env python3
"""What a user of trees does today: pull the table out, train with a library, or score with a model trained before and write back.  trees.py starts it.

usage: tree_peers.py [--dsn DSN] [--pull csv|bin] [--threads 2] [--trees 100] [--leaves 31] [--quantised] [--seed N] [--model FILE]
                     lightgbm|xgboost|sklearn|forest|tree|score

lightgbm, xgboost, sklearn: gradient boosting of y by f01 .. f28, learning rate 0.1, so many leaves and trees, histograms; rows with id % 5 = 0 are
          the holdout.  One tree is trained first ("short"), so that what is done once, whatever the number of trees, can be taken off.
forest:   RandomForestClassifier of so many trees at full depth;  tree: DecisionTreeClassifier of depth 8.
score:    predict every row with the XGBoost model in FILE and write the predictions back.
NULLs stay missing.  Prints one JSON line: seconds and CPU seconds of each step, AUC on the holdout, peak memory.  --model FILE: keep the XGBoost model.
"""
import argparse
import json
import os
import resource
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--dsn", default=os.environ.get("BENCH_DSN", ""))
parser.add_argument("--pull", choices=["csv", "bin"], default="bin")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--trees", type=int, default=100)
parser.add_argument("--leaves", type=int, default=31)
parser.add_argument("--quantised", action="store_true")
parser.add_argument("--seed", type=int, help="of LightGBM; without it, the library's own")
parser.add_argument("--model")
parser.add_argument("workload", choices=["lightgbm", "xgboost", "sklearn", "forest", "tree", "score"])
ARGS = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(ARGS.threads)

from export import FEATURES, RESULT, Step, pull_bin, pull_csv, write_back


def lightgbm_trainer(X, y):
    import lightgbm
    parameters = {"objective": "binary", "num_leaves": ARGS.leaves, "learning_rate": 0.1, "num_threads": ARGS.threads, "verbose": -1,
                  "use_quantized_grad": ARGS.quantised, **({} if ARGS.seed is None else {"seed": ARGS.seed})}
    with Step("data"):
        data = lightgbm.Dataset(X, y, params=parameters).construct()
    return lambda trees: lightgbm.train(parameters, data, trees)


def xgboost_trainer(X, y):
    import xgboost
    parameters = {"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0, "max_leaves": ARGS.leaves,
                  "eta": 0.1, "nthread": ARGS.threads}
    with Step("data"):
        data = xgboost.QuantileDMatrix(X, y, nthread=ARGS.threads)
    return lambda trees: xgboost.train(parameters, data, trees)


def sklearn_trainer(X, y):
    from sklearn.ensemble import HistGradientBoostingClassifier
    return lambda trees: HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=ARGS.leaves, learning_rate=0.1, early_stopping=False).fit(X, y)


def forest_trainer(X, y):
    from sklearn.ensemble import RandomForestClassifier
    return lambda trees: RandomForestClassifier(trees, n_jobs=ARGS.threads, random_state=0).fit(X, y)


def tree_trainer(X, y):
    from sklearn.tree import DecisionTreeClassifier
    return lambda trees: DecisionTreeClassifier(max_depth=8, random_state=0).fit(X, y)


TRAINERS = {"lightgbm": lightgbm_trainer, "xgboost": xgboost_trainer, "sklearn": sklearn_trainer, "forest": forest_trainer, "tree": tree_trainer}


def predict(model, X):
    if ARGS.workload == "lightgbm":
        return model.predict(X, num_threads=ARGS.threads)
    if ARGS.workload in ("xgboost", "score"):
        import xgboost
        model.set_param({"nthread": ARGS.threads})
        return model.inplace_predict(X)
    return model.predict_proba(X)[:, 1]


def train(ids, y, X):
    holdout = ids % 5 == 0
    with Step("prep"):
        Xt, yt = X[~holdout], y[~holdout]
    trainer = TRAINERS[ARGS.workload](Xt, yt)
    if ARGS.workload in ("lightgbm", "xgboost", "sklearn"):
        with Step("short"):
            trainer(1)
    with Step("train"):
        model = trainer(ARGS.trees)
    RESULT["train_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with Step("score"):
        from sklearn.metrics import roc_auc_score
        RESULT["auc"] = roc_auc_score(y[holdout], predict(model, X[holdout]))
    if ARGS.model:
        model.save_model(ARGS.model)


def score(ids, X):
    import xgboost
    with Step("score"):
        predictions = predict(xgboost.Booster(model_file=ARGS.model), X)
    with Step("store"):
        write_back(ARGS.dsn, ids, predictions)


with Step("pull"):
    PULLED = (pull_csv if ARGS.pull == "csv" else pull_bin)(ARGS.dsn, FEATURES)
if ARGS.workload == "score":
    score(PULLED[0], PULLED[2])
else:
    train(*PULLED)
json.dump(RESULT, sys.stdout)
