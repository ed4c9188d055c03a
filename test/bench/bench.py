#!/usr/bin/env python3
"""Time relearn beside what it is compared with, and print one table: both sides, their ratio, the target.

usage: bench.py [--rows N] [--rounds N] [--only GROUP[,GROUP...]]        (groups: sums parallel peers auc points sessions profile checks prepare; trees, if named)

Both sides of a comparison run in turns (A B A B ...) in one run; the figures are medians.  Connects by libpq's environment variables; drops and
makes bench_* tables and models.  README.md says what each line means.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import threading
import time

import psycopg2

import preparing
import trees
from memory import peak
from tools import FEATURES, HERE, SERIAL, SUMS, Bench, connect, peer, pgbench, shown

SPLIT = '{"train": 0.8, "validation": 0, "test": 0.2}'
AUC_WINDOW = """select (sum(r) filter (where y) - count(*) filter (where y) * (count(*) filter (where y) + 1.0) / 2)
    / (count(*) filter (where y)::float8 * count(*) filter (where not y))
from (select y, rank() over (order by f24) + (count(*) over (partition by f24) - 1) / 2.0 as r from bench_wide) s"""


def train_sql(algorithm, target, more=""):
    exclude = {"f28": "{y}", "y": "{}"}[target]
    return (f"select * from ml.train('bench_{algorithm}', 'bench_wide', '{target}', algorithm => '{algorithm}', key => 'id', "
            f"split => '{SPLIT}', exclude => '{exclude}'{more})")


# ---------------------------------------------------------------- against 28 sums

def linreg(form):
    return f"select ml.linreg(f28, {form}) from bench_wide"


LINREG_ANY = linreg(", ".join(FEATURES[:27]))
LINREG_ARRAY = linreg(f"array[{', '.join(FEATURES[:27])}]")
SCORE = "select sum(ml.predict('bench_linear_regression', t)) from bench_wide t"
# OFFSET 0 keeps the row a value, so the planner cannot take its columns apart
SCORE_RECORD = "select sum(ml.predict('bench_linear_regression', r)) from (select t as r from bench_wide t offset 0) s"


def ensure_models(bench):
    for algorithm, target in (("linear_regression", "f28"), ("logistic_regression", "y")):
        if bench.value(f"select count(*) from ml.models where model = 'bench_{algorithm}'") == 0:
            bench.cursor.execute(train_sql(algorithm, target))


def group_sums(bench):
    ensure_models(bench)
    t = bench.in_turns({
        "sums": bench.sql(SUMS, **SERIAL),
        "feed": preparing.refused_training(bench, "bench_wide", "f28", "{}"),
        "baseline": bench.sql(train_sql("baseline", "f28")),
        "any": bench.sql(LINREG_ANY, **SERIAL),
        "array": bench.sql(LINREG_ARRAY, **SERIAL),
        "linear": bench.sql(train_sql("linear_regression", "f28")),
        "logistic": bench.sql(train_sql("logistic_regression", "y")),
        "score": bench.sql(SCORE, **SERIAL),
        "record": bench.sql(SCORE_RECORD, **SERIAL)})
    for what, side, target in (
            ("feed: source to frame in canonical order", "feed", "<= 1.8"),
            ("ml.train('baseline'), whole", "baseline", ""),
            ("ml.linreg(y, VARIADIC any), 27 features", "any", "<= 0.9"),
            ("ml.linreg(y, float8[]), 27 features", "array", "<= 1.3"),
            ("ml.train('linear_regression')", "linear", "<= 3"),
            ("ml.train('logistic_regression')", "logistic", ""),
            ("sum(ml.predict(m, t)), columns", "score", "<= 1.3"),
            ("sum(ml.predict(m, t)), record", "record", "<= 2.5")):
        bench.line(what, t[side], "28 sums", t["sums"], target)
    for name, statement in (("columns", SCORE), ("record", SCORE_RECORD)):
        bench.cursor.execute("explain (verbose, costs off) " + statement)
        plan = " ".join(r[0] for r in bench.cursor.fetchall())
        bench.note(f"plan of sum(ml.predict), {name}: " + ("predict_columns" if "predict_columns" in plan else "a record is passed"))


# ---------------------------------------------------------------- parallel against serial

def chosen_workers(bench, statement):
    bench.cursor.execute("reset all")
    bench.cursor.execute("explain " + statement)
    found = re.search(r"Workers Planned: (\d+)", " ".join(r[0] for r in bench.cursor.fetchall()))
    return int(found[1]) if found else 0


def group_parallel(bench):
    ensure_models(bench)
    statements = {"28 sums": SUMS, "ml.linreg any": LINREG_ANY, "ml.linreg float8[]": LINREG_ARRAY, "sum(ml.predict(m, t))": SCORE}
    sides = {}
    for name, statement in statements.items():
        sides[name] = bench.sql(statement)
        sides[name + " serial"] = bench.sql(statement, **SERIAL)
    t = bench.in_turns(sides)
    for name, statement in statements.items():
        workers = chosen_workers(bench, statement)
        bench.line(f"{name}, plan as chosen ({workers} workers)", t[name], "serial", t[name + " serial"], ">= 1.7" if "predict" in name else "")


# ---------------------------------------------------------------- against export + scikit-learn

def compare_peers(bench, algorithm, target, workload, bounds):
    store = ("drop table if exists bench_pred", "create unlogged table bench_pred as "
             f"select id, ml.{'predict' if target == 'f28' else 'predict_proba'}('bench_{algorithm}', t) as p from bench_wide t")
    ours = {"train": bench.sql(train_sql(algorithm, target)), "store": bench.sql(train_sql(algorithm, target), *store)}
    peers = {(pull, what): peer("--pull", pull, *(["--store"] if what == "store" else []), workload) for pull in ("bin", "csv") for what in ours}
    t = bench.in_turns({**ours, **peers}, rounds=max(3, bench.rounds // 2))
    for what, label in (("train", f"ml.train('{algorithm}')"), ("store", "the same + predict all rows + store")):
        for pull, name in (("bin", "COPY BINARY + scikit-learn"), ("csv", "CSV + pandas + scikit-learn")):
            bench.line(label, t[what], name, t[pull, what], bounds[pull] if what == "train" else "")
    return peers["bin", "train"].result


def same_quality(bench, algorithm, target, workload, theirs):
    """Both sides on the same rows: every fifth row is the holdout."""
    exclude = "{y,id}" if target == "f28" else "{id}"
    bench.cursor.execute(f"select 1 from ml.train('bench_quality_{workload}', 'select * from bench_wide where id % 5 <> 0', '{target}', "
                         f"algorithm => '{algorithm}', split => '{{\"train\": 1}}', exclude => '{exclude}')")
    call = (f"ml.r2(f28, ml.predict('bench_quality_{workload}', t))" if target == "f28"
            else f"ml.roc_auc(y, ml.predict_proba('bench_quality_{workload}', t))")
    mine = bench.value(f"select {call} from bench_wide t where id % 5 = 0")
    measure = "r2" if target == "f28" else "auc"
    bench.note(f"{algorithm} on the same holdout: {measure} {mine:.6f}, scikit-learn {theirs[measure]:.6f} (which has no columns \"is missing\"); "
               f"scikit-learn's process needed {theirs['peak_rss_mib']} MiB")


def group_peers(bench):
    for algorithm, target, workload, bounds in (
            ("linear_regression", "f28", "linreg", {"bin": ">= 5", "csv": ">= 8"}),
            ("logistic_regression", "y", "logreg", {"bin": ">= 4", "csv": ">= 7"})):
        same_quality(bench, algorithm, target, workload, compare_peers(bench, algorithm, target, workload, bounds))


# ---------------------------------------------------------------- a metric

def group_auc(bench):
    statement = "select ml.roc_auc(y, -f24) from bench_wide"
    peers = {name: peer("--pull", pull, "auc") for pull, name in (("csv", "CSV + scikit-learn"), ("bin", "COPY BINARY + scikit-learn"))}
    t = bench.in_turns({"ours": bench.sql(statement), "window": bench.sql(AUC_WINDOW), **peers})
    bench.line("ml.roc_auc(y, score)", t["ours"], "window functions in SQL", t["window"], "<= 0.25")
    for name, target in zip(peers, (">= 5", "")):
        bench.line("ml.roc_auc(y, score)", t["ours"], name, t[name], target)
    bench.cursor.execute("reset all")
    bench.note(f"AUC: ml.roc_auc {bench.value(statement):.6f}, window functions {1 - float(bench.value(AUC_WINDOW)):.6f}, "
               f"scikit-learn {peers['CSV + scikit-learn'].result['auc']:.6f}")


# ---------------------------------------------------------------- one row at a time

def loop(body, times):
    """PL/pgSQL that runs a statement many times; PERFORM goes through SPI with a kept plan and an executor of its own."""
    return (f"do $$ declare r bench_wide; begin select * into r from bench_wide where id = 1; "
            f"for i in 1..{times} loop {body}; end loop; end $$")


def group_points(bench):
    ensure_models(bench)
    point = "select id, {} from bench_wide t where id = :id"
    t = bench.in_turns({"with": pgbench(point.format("ml.predict('bench_linear_regression', t)"), bench.rows, 1),
                        "without": pgbench(point.format("f28"), bench.rows, 1)}, rounds=2 * bench.rounds + 1, warm=False)
    bench.line("prepared point query with ml.predict", t["with"], "without", t["without"], "<= 1.1", "us")

    bench.cursor.execute("drop table if exists bench_lookup")
    bench.cursor.execute("create table bench_lookup as select 'name ' || i as name, i as v from generate_series(1, 1000) i")
    bench.cursor.execute("alter table bench_lookup add primary key (name)")
    bench.cursor.execute("vacuum analyze bench_lookup")
    times = 20000
    t = bench.in_turns({"resolve": bench.sql(loop("perform ml.predict('bench_linear_regression', r)", times)),
                        "lookup": bench.sql(loop("perform v from bench_lookup where name = 'name 500'", times)),
                        "column": bench.sql(loop("perform r.f01", times)),
                        "nothing": bench.sql(loop("null", times))})
    bench.line("resolve a name and predict one row, in SPI", (t["resolve"] - t["column"]) / times, "one-row primary key look-up by SPI",
               (t["lookup"] - t["nothing"]) / times, "<= 2.5", "us")


# ---------------------------------------------------------------- first calls

WIDE = 500


def make_big_model(bench):
    """About 100 KB of artifact: a linear model of many columns."""
    columns = [f"c{i:03d}" for i in range(WIDE)]
    bench.cursor.execute("drop table if exists bench_first")
    bench.cursor.execute("create unlogged table bench_first as select i as id, hashint4(i)::float8 as y, "
                         + ", ".join(f"(hashint8extended(i, {k}) % 1000)::float8 as {c}" for k, c in enumerate(columns))
                         + " from generate_series(1, 2000) i")
    bench.cursor.execute("alter table bench_first add primary key (id)")
    bench.cursor.execute("vacuum analyze bench_first")
    bench.cursor.execute("select * from ml.train('bench_first', 'bench_first', 'y', algorithm => 'linear_regression', key => 'id')")
    bench.cursor.execute("select bytes from ml.versions where model = 'bench_first' order by version desc limit 1")
    return bench.cursor.fetchone()[0]


def first_query(statement):
    """A side: seconds of the first statement of a new session; those of the second are kept in side.second."""
    def run():
        connection = connect()
        cursor, taken = connection.cursor(), []
        for _ in range(2):
            start = time.perf_counter()
            cursor.execute(statement)
            cursor.fetchall()
            taken.append(time.perf_counter() - start)
        connection.close()
        run.second.append(taken[1])
        return taken[0]
    run.second = []
    return run


def postmaster(bench):
    """Resident KiB of the postmaster and the number of files in /dev/shm."""
    backend = bench.connection.get_backend_pid()
    parent = open(f"/proc/{backend}/stat").read().rpartition(")")[2].split()[1]
    resident = re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{parent}/status").read())[1]
    return int(resident), len(os.listdir("/dev/shm"))


def group_sessions(bench):
    ensure_models(bench)
    size = make_big_model(bench)
    big = "select ml.predict('bench_first', t) from bench_first t where id = 1"
    sides = {"plain": first_query("select c000 from bench_first t where id = 1"),
             "small": first_query("select ml.predict('bench_linear_regression', t) from bench_wide t where id = 1"),
             "big": first_query(big)}
    t = bench.in_turns(sides, rounds=30)
    bench.line(f"first call of a session, model of {size / 1024:.0f} KiB", t["big"], "a session's first query", t["plain"], "", "ms")
    bench.line("first call of a session, model of 27 features", t["small"], "a session's first query", t["plain"], "", "ms")
    bench.line("second call of the session, large model", statistics.median(sides["big"].second), "a session's second query",
               statistics.median(sides["plain"].second), "", "ms")
    before, once = postmaster(bench), first_query(big)
    for _ in range(1000):
        once()
    after = postmaster(bench)
    bench.note(f"1,000 sessions x first call: postmaster {before[0]} -> {after[0]} KiB resident, files in /dev/shm {before[1]} -> {after[1]}")


# ---------------------------------------------------------------- looking at a table

PROFILE = f"select count(*) from ml.profile('bench_wide', '{{{','.join(FEATURES)}}}')"
# what a careful user writes instead, 9 quantiles and all
PROFILE_SQL = "select " + ", ".join(
    f"count({c}), avg({c}), stddev_samp({c}), min({c}), max({c}), "
    f"percentile_cont(array[.01, .05, .1, .25, .5, .75, .9, .95, .99]) within group (order by {c})" for c in FEATURES) + " from bench_wide"


def private_memory(pid):
    """MiB of a process that are its own."""
    return int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024


def memory_taken(statement, **settings):
    """Private MiB of a new session: at rest after a first small call, and the most during the statement."""
    connection = connect()
    cursor, pid = connection.cursor(), connection.get_backend_pid()
    for name, value in settings.items():
        cursor.execute(f"set {name} = {value}")
    cursor.execute("select count(*) from ml.profile('select f01 from bench_wide limit 1')")
    before, most, done = private_memory(pid), 0, threading.Event()
    runner = threading.Thread(target=lambda: (cursor.execute(statement), done.set()))
    runner.start()
    while not done.wait(0.01):
        most = max(most, private_memory(pid))
    runner.join()
    connection.close()
    return most - before


def group_profile(bench):
    t = bench.in_turns({"profile": bench.sql(PROFILE, **SERIAL), "workers": bench.sql(PROFILE), "sums": bench.sql(SUMS, **SERIAL),
                        "sql": bench.sql(PROFILE_SQL, work_mem="'256MB'", **SERIAL), "csv": peer("--pull", "csv", "describe")},
                       rounds=max(3, bench.rounds // 2))
    bench.line("ml.profile of 28 columns", t["profile"], "moments and 9 quantiles in SQL", t["sql"], "<= 0.25")
    bench.line("ml.profile of 28 columns", t["profile"], "CSV + pandas describe", t["csv"], ">= 4")
    bench.line("ml.profile of 28 columns", t["profile"], "28 sums", t["sums"], "")
    bench.line("ml.profile, with workers", t["workers"], "without", t["profile"], ">= 1.4")
    (most, leader, workers, shared), failed = peak(PROFILE)
    bench.note(f"ml.profile takes {memory_taken(PROFILE, **SERIAL):.1f} MiB of private memory alone (target: 64); with workers {most:.1f} MiB over idle "
               f"(leader {leader:.1f}, workers {workers:.1f}, shared {shared:.1f}{'; ' + failed if failed else ''})")


def make_flights():
    """bench_hflights, from the data of the tests."""
    cursor = connect().cursor()
    cursor.execute("select to_regclass('bench_hflights') is not null")
    if not cursor.fetchone()[0]:
        subprocess.run(["psql", "-Xq", "-f", "test/data/hflights.sql", "-c", "alter table hflights rename to bench_hflights"],
                       cwd=os.path.join(HERE, "..", ".."), check=True)


def group_checks(bench):
    make_flights()
    flights = "select count(*) from ml.checks('select *, dep_delay >= 15 as late from bench_hflights', 'late')"
    wide = "select count(*) from ml.checks('bench_wide', 'y')"
    algorithm = "linear_regression"
    without = train_sql(algorithm, "f28", """, params => '{"checks": false}'""")
    t = bench.in_turns({"flights": bench.sql(flights, **SERIAL), "wide": bench.sql(wide, **SERIAL), "profile": bench.sql(PROFILE, **SERIAL)})
    # the difference is a few percent: more turns than elsewhere
    t |= bench.in_turns({"with": bench.sql(train_sql(algorithm, "f28"), **SERIAL), "without": bench.sql(without, **SERIAL)}, rounds=3 * bench.rounds)
    bench.line("ml.checks of bench_wide", t["wide"], "ml.profile of 28 columns", t["profile"], "")
    bench.line(f"ml.train('{algorithm}')", t["with"], "the same without checks", t["without"], "<= 1.1")
    bench.note(f"ml.checks takes {t['wide']:.2f} s on bench_wide (target: 10), {t['flights']:.2f} s on hflights, 227,496 x 22 (target: 5), "
               f"and {memory_taken(wide):.1f} MiB of private memory on bench_wide")


# ---------------------------------------------------------------- the run

GROUPS = {"sums": group_sums, "parallel": group_parallel, "peers": group_peers, "auc": group_auc, "points": group_points, "sessions": group_sessions,
          "profile": group_profile, "checks": group_checks, "prepare": preparing.group, "trees": trees.group}


def verdict(ours, theirs, target):
    if not target:
        return f"{ours / theirs:.2f} x", ""
    relation, bound = target.split()
    if relation == "<=":
        return f"{ours / theirs:.2f} x", "yes" if ours / theirs <= float(bound) else "NO"
    return f"{theirs / ours:.2f} x faster", "yes" if theirs / ours >= float(bound) else "NO"


def print_table(bench):
    rows = [("measured", "relearn", "compared with", "takes", "ratio", "target", "met")]
    for what, ours, against, theirs, target, unit in bench.lines:
        ratio, met = verdict(ours, theirs, target)
        rows.append((what, shown(ours, unit), against, shown(theirs, unit), ratio, target, met))
    widths = [max(len(r[i]) for r in rows) for i in range(7)]
    for n, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|")
    for note in bench.notes:
        print(f"- {note}")


def make_table(rows):
    """bench_wide, unless it is there in that size."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("select to_regclass('bench_wide') is not null")
    if cursor.fetchone()[0]:
        cursor.execute("select count(*) from bench_wide")
        if cursor.fetchone()[0] == rows:
            return
    subprocess.run(["psql", "-Xq", "-v", f"rows={rows}", "-f", os.path.join(HERE, "gen.sql")], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(g for g in GROUPS if g != "trees"))
    trees.add_arguments(parser)
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))} (there are: {', '.join(GROUPS)})")
    make_table(arguments.rows)
    bench = Bench(arguments)
    for group in chosen:
        print(f"{group} ...", file=sys.stderr, flush=True)
        GROUPS[group](bench)
    server = bench.value("show server_version")
    print(f"\n{arguments.rows} rows x 28 float8, PostgreSQL {server}, {os.cpu_count()} CPUs, medians of {arguments.rounds} rounds (peers: "
          f"{max(3, arguments.rounds // 2)}), sides in turns\n")
    print_table(bench)


main()
