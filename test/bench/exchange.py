"""Small models of LightGBM and XGBoost and what they predict: the files in test/data/exchange, which test/pgtap/exchange imports.

Not timed.  Run in the top folder of the tree, with lightgbm, xgboost, pandas and numpy; every library predicts the very rows it was trained on, and some
odd ones beside them (missing cells where training had none, categories never seen, zeros, huge numbers).  Made with LightGBM 4.7.0, XGBoost 3.2.0.
"""

import csv
import json
import os

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

OUT = "test/data/exchange"
LGB = {"verbose": -1, "num_leaves": 7, "learning_rate": 0.2, "min_data_in_leaf": 8, "min_data_per_group": 2, "cat_smooth": 1, "cat_l2": 1, "max_cat_to_onehot": 2,
       "max_bin": 63, "num_threads": 1, "seed": 1, "deterministic": True}
XGB = {"max_depth": 3, "eta": 0.3, "max_bin": 64, "nthread": 1, "seed": 1, "max_cat_to_onehot": 1}
expected = []


def keep(model, predicted):
    predicted = np.atleast_2d(np.asarray(predicted, dtype=float).T).T
    for i, row in enumerate(predicted):
        for k, value in enumerate(row):
            expected.append((model, i + 1, k, f"{value:.10g}"))


def write(name, text):
    with open(os.path.join(OUT, name), "w") as out:
        out.write(text)


def lightgbm_text(booster):
    """The model without the list of training parameters, which no reader needs."""
    text = booster.model_to_string()
    return text[:text.index("\nparameters:\n")] + text[text.index("end of parameters") + len("end of parameters"):]


def light(name, params, rounds, data, target, odd=None, **more):
    """Train on data, predict data and then the odd rows."""
    booster = lgb.train({**LGB, **params}, lgb.Dataset(data, target, free_raw_data=False, **more), rounds)
    write(name + ".txt", lightgbm_text(booster))
    keep(name, booster.predict(data if odd is None else pd.concat([data, odd])))


def extreme(name, params, rounds, data, target, odd=None, types=None, change=None, iterations=(0, 0), **more):
    def matrix(frame, label=None):
        return xgb.DMatrix(frame, label, enable_categorical=True, feature_types=types)
    booster = xgb.train({**XGB, **params}, matrix(data, target), rounds, **more)
    model = json.loads(booster.save_raw("json"))
    if change:
        change(model)
    write(name + ".json", json.dumps(model, separators=(",", ":")))
    keep(name, booster.predict(matrix(data if odd is None else pd.concat([data, odd])), iteration_range=iterations))


def save_rows(name, frame):
    frame = frame.copy()
    frame.insert(0, "id", range(1, len(frame) + 1))
    frame.to_csv(os.path.join(OUT, name + ".csv"), index=False, quoting=csv.QUOTE_MINIMAL)


def titanic():
    rows = pd.read_csv("test/data/titanic.csv").sample(200, random_state=1).reset_index(drop=True)
    target = rows.survived
    data = rows[["pclass", "sex", "age", "sibsp", "fare", "embarked", "deck"]].copy()
    odd = pd.DataFrame([(1, "female", np.nan, 0, 0.0, None, None), (3, "male", 1e30, 99, -5.0, "S", "T"), (2, None, 0.0, 0, 1e-36, "X", "unseen"),
                        (9, "male", -0.0, 33, np.nan, "Q", "C")], columns=data.columns)
    everything = pd.concat([data, odd])
    save_rows("titanic", everything)
    levels = {name: sorted(data[name].dropna().unique()) for name in ("sex", "embarked", "deck")}

    def typed(frame):
        return frame.assign(**{name: pd.Categorical(frame[name], categories=levels[name]) for name in levels})

    light("lgb_binary", {"objective": "binary"}, 20, typed(data), target, typed(odd))
    light("lgb_sigmoid", {"objective": "binary", "sigmoid": 2.5, "boosting": "dart"}, 20, typed(data), target, typed(odd))
    light("lgb_zero", {"objective": "binary", "zero_as_missing": True}, 20, typed(data), target, typed(odd))
    light("lgb_rf", {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}, 20, typed(data), target, typed(odd))
    light("lgb_two", {"objective": "multiclass", "num_class": 2}, 10, typed(data), target, typed(odd))
    light("lgb_entropy", {"objective": "cross_entropy"}, 10, typed(data), target, typed(odd))
    # few bins: some splits only ask what is missing, their threshold is "inf"
    endless = pd.DataFrame([(1, "female", np.inf, 0, np.inf, "S", "A"), (1, "male", -np.inf, 0, -np.inf, "S", "A")], columns=data.columns)
    light("lgb_missing", {"objective": "binary", "max_bin": 2, "num_leaves": 15}, 20, typed(data), target, typed(pd.concat([odd, endless])))

    # the numbers of a column as categories
    numbers = data[["pclass", "age", "sibsp", "fare"]].astype(float)
    odd_numbers = pd.concat([odd[["pclass", "age", "sibsp", "fare"]].astype(float), pd.DataFrame({"pclass": [2.9, np.nan], "age": 30.0, "sibsp": [1.5, 40.0],
                                                                                           "fare": 20.0})])
    save_rows("titanic_numbers", pd.concat([numbers, odd_numbers]))
    light("lgb_codes", {"objective": "binary", "cat_smooth": 1}, 20, numbers, target, odd_numbers, categorical_feature=["pclass", "sibsp"])
    extreme("xgb_codes", {"objective": "binary:logistic"}, 20, numbers, target, odd_numbers, types=["c", "float", "c", "float"])

    # XGBoost refuses categories it has not seen
    seen = odd.assign(embarked=odd.embarked.replace("X", None), deck=odd.deck.replace("unseen", None))
    extreme("xgb_binary", {"objective": "binary:logistic"}, 20, typed(data), target, typed(seen))
    extreme("xgb_dart", {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.3, "normalize_type": "forest"}, 20, typed(data), target, typed(seen))
    extreme("xgb_two", {"objective": "multi:softprob", "num_class": 2}, 10, typed(data), target, typed(seen))
    extreme("xgb_share", {"objective": "reg:logistic", "base_score": 0.3}, 10, typed(data), target, typed(seen))


def penguins():
    rows = pd.read_csv("test/data/penguins.csv").sample(150, random_state=1).reset_index(drop=True)
    target = pd.Categorical(rows.species).codes.astype(int)
    data = rows.drop(columns="species")
    save_rows("penguins", data)
    levels = {name: sorted(data[name].dropna().unique()) for name in ("island", "sex")}
    data = data.assign(**{name: pd.Categorical(data[name], categories=levels[name]) for name in levels})
    classes = {"num_class": 3}
    light("lgb_classes", {"objective": "multiclass", **classes}, 7, data, target)
    light("lgb_ova", {"objective": "multiclassova", "sigmoid": 1.5, **classes}, 7, data, target)
    extreme("xgb_classes", {"objective": "multi:softprob", **classes}, 7, data, target)
    extreme("xgb_forest", {"objective": "multi:softprob", "num_parallel_tree": 3, "subsample": 0.7, "colsample_bynode": 0.6, **classes}, 2, data, target)


def california():
    rows = pd.read_csv("test/data/california_housing.csv").sample(200, random_state=1).reset_index(drop=True)
    target = rows.median_house_value / 100000
    data = rows[["longitude", "latitude", "housing_median_age", "total_bedrooms", "median_income"]].copy()
    odd = pd.DataFrame([(np.nan,) * 5, (0.0,) * 5, (-118.2, 34.1, 1e30, -1e30, 3.1)], columns=data.columns)
    save_rows("california", pd.concat([data, odd]))
    for name, objective in (("regression", "regression"), ("l1", "regression_l1"), ("poisson", "poisson"), ("gamma", "gamma"), ("tweedie", "tweedie")):
        light("lgb_" + name, {"objective": objective}, 20, data, target, odd)
    for name, objective in (("regression", "reg:squarederror"), ("poisson", "count:poisson"), ("gamma", "reg:gamma"), ("tweedie", "reg:tweedie")):
        extreme("xgb_" + name, {"objective": objective}, 20, data, target, odd)

    def best(model):
        model["learner"]["attributes"]["best_iteration"] = "4"
    extreme("xgb_stopped", {"objective": "reg:squarederror"}, 20, data, target, odd, change=best, iterations=(0, 5))

    # splits by values that single precision cannot hold
    grid = pd.DataFrame({"x": np.arange(1, 201) / 10})
    save_rows("grid", grid)
    extreme("xgb_grid", {"objective": "reg:squarederror", "max_bin": 256, "max_depth": 6, "min_child_weight": 0, "lambda": 0}, 5, grid, np.sin(grid.x))
    light("lgb_grid", {"objective": "regression", "num_leaves": 60, "min_data_in_leaf": 1, "max_bin": 255, "min_data_in_bin": 1}, 5, grid, np.sin(grid.x))


def mixed():
    """Truth values, and categories whose levels are numbers."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"flag": rng.random(200) < 0.4, "grade": rng.choice([3, 7, 11, 40], 200), "half": rng.choice([0.5, 1.0, 2.5], 200),
                         "x": rng.normal(size=200).round(3)})
    save_rows("mixed", data)
    target = data.flag * 2 + (data.grade == 7) - (data.half == 2.5) * data.x + data.x
    data = data.assign(grade=pd.Categorical(data.grade), half=pd.Categorical(data.half))
    extreme("xgb_mixed", {"objective": "reg:squarederror"}, 10, data.drop(columns="half"), target)
    light("lgb_mixed", {"objective": "huber"}, 10, data.drop(columns="flag"), target)


os.makedirs(OUT, exist_ok=True)
titanic()
penguins()
california()
mixed()
with open(os.path.join(OUT, "expected.csv"), "w", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("model", "id", "class", "value"))
    writer.writerows(expected)
