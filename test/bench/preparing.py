"""The group "prepare" of the bench: the feed with what is learned of columns by default, and ml.transform.  README.md says what each line means."""
import json
import os
import subprocess
import time

import psycopg2

from tools import FEATURES, HERE, SERIAL, peer

STEPS = json.dumps({column: ["impute_median", "standardize"] for column in FEATURES})
PIPELINE = "bench_pipeline"


def refused_training(bench, source, target, excluded):
    """A side, the bare feed: a training that is refused because of the target's type, which is known once the frame stands and before anything is fitted."""
    run_refused = bench.sql(f"select * from ml.train('bench_refused', '{source}', '{target}', algorithm => 'logistic_regression', key => 'id', "
                            f"split => '{{\"train\": 1}}', exclude => '{excluded}')")

    def run():
        start = time.perf_counter()
        try:
            run_refused()
        except psycopg2.errors.InvalidParameterValue as error:
            assert "cannot learn target column" in str(error), error
            return time.perf_counter() - start
        raise AssertionError("a classifier took a numeric target")
    return run


def fit_pipeline(source, excluded, steps="{}"):
    return f"select ml.fit_pipeline('{PIPELINE}', '{source}', '{steps}', key => 'id', exclude => '{excluded}')"


def make_mixed(bench):
    rows = bench.rows // 2
    if bench.value("select to_regclass('bench_mixed') is null") or bench.value("select count(*) from bench_mixed") != rows:
        subprocess.run(["psql", "-Xq", "-v", f"rows={rows}", "-f", os.path.join(HERE, "gen_mixed.sql")], check=True)


def compare_feeds(bench):
    make_mixed(bench)
    for source, target in (("bench_wide", "f28"), ("bench_mixed", "n1")):
        t = bench.in_turns({"prepared": bench.sql(fit_pipeline(source, f"{{id,y,{target}}}")), "bare": refused_training(bench, source, target, "{y}")})
        bench.line(f"ml.fit_pipeline of {source}, default steps", t["prepared"], "bare feed", t["bare"], "<= 2")


def compare_transform(bench):
    stored = ("drop table if exists bench_pred", f"create unlogged table bench_pred as select id, ml.transform('{PIPELINE}', t.*) as x from bench_wide t")
    bench.cursor.execute(f"select ml.drop_model(model) from ml.models where model = '{PIPELINE}'")
    bench.cursor.execute(fit_pipeline("bench_wide", "{id,y}", STEPS))
    t = bench.in_turns({"ours": bench.sql(*stored, **SERIAL), "fit": bench.sql(fit_pipeline("bench_wide", "{id,y}", STEPS)),
                        "binary": peer("--pull", "bin", "transform"), "csv": peer("--pull", "csv", "transform")}, rounds=max(3, bench.rounds // 2))
    bench.line("create table as select ml.transform", t["ours"], "COPY BINARY + scikit-learn + write back", t["binary"], ">= 4")
    bench.line("create table as select ml.transform", t["ours"], "CSV + scikit-learn + write back", t["csv"], "")
    bench.line("the same with ml.fit_pipeline", t["ours"] + t["fit"], "COPY BINARY + scikit-learn + write back", t["binary"], "")


def group(bench):
    compare_feeds(bench)
    compare_transform(bench)
