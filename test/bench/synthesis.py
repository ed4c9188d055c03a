#!/usr/bin/env python3
"""What Featuretools makes of the tables in ../data, against ml.synthesize_query.

  synthesis.py literals        print the rows of ../pgtap/synthesis/featuretools.psql (needs no server)
  synthesis.py time [ROUNDS]   time both over pnwflights14 at depth 2 (PGHOST, PGDATABASE... name a database with the extension and the data loaded)

Needs featuretools 1.31, pandas below 3 (newer ones break it), psycopg2.  Run in the top folder of the tree.
"""
import hashlib
import io
import re
import statistics
import sys
import time
import warnings

import pandas as pd

warnings.filterwarnings("ignore")
import featuretools as ft  # noqa: E402
from featuretools import primitives as p  # noqa: E402
from featuretools.feature_base import AggregationFeature, DirectFeature  # noqa: E402

DATA = "test/data/"
NAMES = {"count": "count", "sum": "sum", "mean": "mean", "min": "min", "max": "max", "std": "sd", "num_unique": "distinct", "mode": "mode", "last": "last",
         "trend": "trend", "time_since_last": "days_since_last", "time_since_first": "days_since_first"}
PLAIN = ["count", "sum", "mean", "min", "max", "std", "num_unique", "mode"]
DATED = PLAIN + ["last", "trend", p.TimeSinceLast(unit="days"), p.TimeSinceFirst(unit="days")]


# ---- tables

def chinook():
    text = open(DATA + "chinook.sql", encoding="utf-8").read()
    tables = {}
    for name, columns, rows in re.findall(r"^COPY chinook\.(\w+) \(([^)]*)\) FROM stdin;\n(.*?)^\\\.$", text, re.M | re.S):
        tables[name] = pd.read_csv(io.StringIO(rows), sep="\t", names=columns.split(", "), na_values="\\N", keep_default_na=False, quoting=3, dtype=str)
    return tables


def typed(frame, numbers=(), times=(), categories=()):
    for column in numbers:
        frame[column] = pd.to_numeric(frame[column])
    for column in times:
        frame[column] = pd.to_datetime(frame[column])
    return frame[list(numbers) + list(times) + list(categories)]


def logical(numbers=(), categories=()):
    return {**{c: "Double" for c in numbers}, **{c: "Categorical" for c in categories}}


def chinook_set(dated):
    t = chinook()
    es = ft.EntitySet("chinook")
    billing = ["billing_address", "billing_city", "billing_state", "billing_country", "billing_postal_code"]
    people = ["first_name", "last_name", "city", "state", "country"]

    def add(name, index, numbers=(), categories=(), keys=(), **more):
        frame = typed(t[name], [index, *keys, *numbers], [more["time_index"]] if more.get("time_index") else [], categories)
        kinds = {index: "IntegerNullable", **{k: "IntegerNullable" for k in keys}, **logical(numbers, categories)}
        es.add_dataframe(dataframe=frame, dataframe_name=name, index=index, logical_types=kinds, **more)

    add("employee", "employee_id", categories=[*people, "title"])
    add("customer", "customer_id", categories=people, keys=["support_rep_id"])
    add("invoice", "invoice_id", ["total"], billing, ["customer_id"], time_index="invoice_date" if dated else None)
    add("invoice_line", "invoice_line_id", ["unit_price", "quantity"], keys=["invoice_id"])
    for parent, child, key in (("employee", "customer", "support_rep_id"), ("customer", "invoice", "customer_id"), ("invoice", "invoice_line", "invoice_id")):
        es.add_relationship(parent, parent + "_id", child, key)
    es.add_interesting_values(dataframe_name="invoice", values={"billing_country": ["USA", "Canada", "Brazil"]})
    return es


def pnwflights_tables():
    return {name: pd.read_csv(f"{DATA}pnwflights14/{name}.csv{end}")
            for name, end in (("flights", ".gz"), ("airlines", ""), ("airports", ""), ("planes", ".gz"), ("weather", ".gz"))}


def pnwflights_set(t):
    es = ft.EntitySet("pnwflights14")
    flights = t["flights"].copy()
    flights.loc[~flights.tailnum.isin(t["planes"].tailnum), "tailnum"] = None
    weather = t["weather"].drop(columns=["time_hour", "year", "month", "day", "hour"], errors="ignore").assign(weather_id=range(len(t["weather"])))
    weather["origin"] = t["weather"]["origin"]
    keys = {"carrier", "tailnum", "origin", "dest"}
    numbers = [c for c in flights.columns if c not in keys and c != "flight_id"]
    planes = ["year", "engines", "seats", "speed"]
    es.add_dataframe(dataframe=t["airlines"], dataframe_name="airlines", index="carrier", logical_types=logical((), ["carrier", "name"]))
    es.add_dataframe(dataframe=t["airports"], dataframe_name="airports", index="faa", logical_types=logical(["lat", "lon", "alt", "tz"], ["faa", "name", "dst"]))
    es.add_dataframe(dataframe=t["planes"], dataframe_name="planes", index="tailnum",
                     logical_types=logical(planes, ["tailnum", "type", "manufacturer", "model", "engine"]))
    es.add_dataframe(dataframe=flights, dataframe_name="flights", index="flight_id", logical_types=logical(numbers, keys))
    es.add_dataframe(dataframe=weather, dataframe_name="weather", index="weather_id",
                     logical_types=logical([c for c in weather.columns if c not in ("origin", "weather_id")], ["origin"]))
    for parent, key, child, column in (("airlines", "carrier", "flights", "carrier"), ("planes", "tailnum", "flights", "tailnum"),
                                       ("airports", "faa", "flights", "dest"), ("airports", "faa", "flights", "origin"), ("airports", "faa", "weather", "origin")):
        es.add_relationship(parent, key, child, column)
    return es


# ---- names and literals

def label(name, relationship, es):
    child, parent = relationship.child_dataframe.ww.name, relationship.parent_dataframe.ww.name
    links = [r for r in es.relationships if r.child_dataframe.ww.name == child and r.parent_dataframe.ww.name == parent]
    return name if len(links) == 1 else f"{name}[{relationship._child_column_name}]"


def our_name(feature, es):
    """The name ml.synthesize_features gives to it."""
    if isinstance(feature, DirectFeature):
        relationship = feature.relationship_path[0][1]
        return f"{label(relationship.parent_dataframe.ww.name, relationship, es)}.{our_name(feature.base_features[0], es)}"
    if isinstance(feature, AggregationFeature):
        rows = ".".join(label(r.child_dataframe.ww.name, r, es) for _, r in feature.relationship_path)
        name = NAMES[feature.primitive.name]
        if name == "count" and feature.where is not None:
            return f"count({rows} where {feature.where.base_features[0].column_name} = {feature.where.primitive.value})"
        if name in ("count", "days_since_last", "days_since_first"):
            return f"{name}({rows})"
        return f"{name}({rows}.{our_name(feature.base_features[0], es)})"
    return feature.column_name


def condition_is_elsewhere(feature):
    """Counts of rows by a column of the row above them: not generated here."""
    where = getattr(feature, "where", None)
    return where is not None and not hasattr(where.base_features[0], "column_name") or any(map(condition_is_elsewhere, feature.base_features))


def literals(title, es, target, **more):
    """feature, number of values, then of numbers the sum and the sum weighted by the rank of the row's key, of texts the md5 of all in that order"""
    cutoff = more.pop("cutoff", None)
    definitions = ft.dfs(entityset=es, target_dataframe_name=target, trans_primitives=[], max_depth=2, features_only=True, where_primitives=["count"], **more)
    matrix = ft.calculate_feature_matrix(definitions, es, cutoff_time=cutoff, include_cutoff_time=False)
    matrix = matrix.sort_index()
    for feature in definitions:
        if condition_is_elsewhere(feature):
            continue
        name, values = our_name(feature, es), matrix[feature.get_name()]
        if feature.get_depth() == 0 or len(name.encode()) > 63:
            continue
        if name.split("(")[0].split(".")[-1] == "distinct":
            values = values.astype("Float64").fillna(0)       # ours: no rows have no values
        if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object:
            texts = ["" if pd.isna(v) else str(v) for v in values]
            yield title, name, int(values.notna().sum()), None, None, hashlib.md5("|".join(texts).encode()).hexdigest()
        else:
            numbers = values.astype("Float64")
            rank = pd.Series(range(1, len(numbers) + 1), index=numbers.index)
            yield title, name, int(numbers.notna().sum()), float(numbers.sum()), float((numbers * rank).sum()), None


def all_literals():
    yield from literals("chinook", chinook_set(False), "customer", agg_primitives=PLAIN)
    customers = chinook()["customer"].customer_id.astype(int)
    cutoffs = pd.DataFrame({"customer_id": customers, "time": pd.Timestamp("2023-01-01") + pd.to_timedelta(13 * customers, unit="D")})
    yield from literals("cutoff", chinook_set(True), "customer", agg_primitives=DATED, cutoff=cutoffs)
    es = pnwflights_set(pnwflights_tables())
    for target in ("airlines", "planes"):
        yield from literals(target, es, target, agg_primitives=PLAIN)


def print_literals():
    for row in all_literals():
        print("\t".join("\\N" if cell is None else str(cell) if not isinstance(cell, float) else repr(cell) for cell in row))


# ---- time

def take(function, rounds):
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def export(connection):
    tables = {}
    with connection.cursor() as cursor:
        for name in ("flights", "airlines", "airports", "planes", "weather"):
            buffer = io.StringIO()
            cursor.copy_expert(f"COPY pnwflights14.{name} TO STDOUT WITH (FORMAT csv, HEADER)", buffer)
            buffer.seek(0)
            tables[name] = pd.read_csv(buffer)
    return tables


def print_times(rounds):
    import psycopg2
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET work_mem = '256MB'")
    print(f"{'target':<10} {'features':>8} {'featuretools':>12} {'with export':>12} {'relearn':>9} {'ratio':>7} {'with export':>12}")
    for target in ("airlines", "planes", "airports", "flights"):
        call = f"'pnwflights14.{target}', aggregates => '{{count,sum,mean,min,max,sd,distinct,mode}}', top_values => 0, max_features => 1600"
        cursor.execute(f"SELECT count(*) FROM ml.synthesize_features({call})")
        count = cursor.fetchone()[0]
        kept = {}

        def load():
            kept["es"] = pnwflights_set(export(connection))

        def theirs():
            ft.dfs(entityset=kept["es"], target_dataframe_name=target, agg_primitives=PLAIN, trans_primitives=[], max_depth=2)

        def ours():     # every value is computed, none is sent
            cursor.execute(f"SELECT ml.synthesize_query({call})")
            cursor.execute("EXPLAIN (ANALYZE, TIMING OFF) " + cursor.fetchone()[0])

        loading, them, us = take(load, rounds), take(theirs, rounds), take(ours, rounds)
        print(f"{target:<10} {count:>8} {them:>10.2f} s {loading + them:>10.2f} s {us:>7.2f} s {them / us:>7.1f} {(loading + them) / us:>12.1f}")


if __name__ == "__main__":
    import logging
    logging.disable(logging.WARNING)
    if sys.argv[1:2] == ["literals"]:
        print_literals()
    elif sys.argv[1:2] == ["time"]:
        print_times(int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    else:
        sys.exit(__doc__)
