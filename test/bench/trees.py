"""The group "trees" of the bench: boosting, forests, scoring, memory.  README.md says what each line means."""
import os
import statistics
import subprocess
import tempfile
import time

from memory import parent_of, peak
from tools import HERE, SERIAL, SUMS, peer, pgbench

TRAINING = "select * from bench_wide where id % 5 <> 0"
BOOSTED = "bench_boosted"


def add_arguments(parser):
    parser.add_argument("--forest-trees", type=int, default=10, help="trees of the forests (scikit-learn takes 3 s for each)")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each side whose AUC is compared")
    parser.add_argument("--sizes", default="250000,1000000", help="rows of the trainings that show how time grows; beyond --rows a table is made")
    parser.add_argument("--parts", default=",".join(part for part in PARTS if part != "seeds"), help="of the group trees: " + " ".join(PARTS))


def train_sql(algorithm, model, params, source=TRAINING):
    return (f"select * from ml.train('{model}', '{source}', 'y', algorithm => '{algorithm}', exclude => '{{id}}', split => '{{\"train\": 1}}', "
            f"params => '{{{params}}}')")


def boosting_sql(trees=100, leaves=31, model=BOOSTED, more="", source=TRAINING):
    return train_sql("gradient_boosting", model, f'"n_estimators": {trees}, "num_leaves": {leaves}, "learning_rate": 0.1{more}', source)


# ---------------------------------------------------------------- sides

def cpu_seconds(stat, children):
    """CPU of a process so far, or of the children it has waited for."""
    with open(stat) as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(int(fields[i]) for i in ((13, 14) if children else (11, 12))) / os.sysconf("SC_CLK_TCK")


def statement(bench, sql, **settings):
    """A side; the CPU of leader and workers is kept in side.cpu, a list."""
    run_sql = bench.sql(sql, **settings)
    backend = bench.connection.get_backend_pid()
    postmaster = parent_of(backend)

    def cpu():
        return cpu_seconds(f"/proc/{backend}/stat", False) + cpu_seconds(f"/proc/{postmaster}/stat", True)

    def run():
        before = cpu()
        seconds = run_sql()
        time.sleep(0.05)    # for the postmaster to reap the workers
        run.cpu.append(cpu() - before)
        return seconds
    run.cpu = []
    return run


def library(*arguments):
    """A side: a process of tree_peers.py; all its results are kept in side.results."""
    run_peer = peer(*arguments, script="tree_peers.py")

    def run():
        seconds = run_peer()
        run.results.append({**run_peer.result, "wall_s": seconds})
        return seconds
    run.results = []
    return run


def middle(side, value):
    return statistics.median(value(result) for result in side.results)


def kernel(result):
    """All trees but the first, binning left out."""
    return result["train_s"] - result["short_s"]


def whole(result):
    """From the start of the process to the model: without what only the comparison needs."""
    return result["wall_s"] - result["score_s"] - result.get("short_s", 0)


def holdout_auc(bench, model):
    """Of the version trained last, which need not be the one deployed."""
    version = bench.value(f"select max(version) from ml.versions where model = '{model}'")
    return bench.value(f"select ml.roc_auc(y, ml.predict_proba('{model}:{version}', t)) from bench_wide t where id % 5 = 0")


# ---------------------------------------------------------------- training

def compare_boosting(bench, trees, leaves, sides, rounds):
    """Kernel and CPU against each library that has a target, "" for none; the other sides only take their turns.  Returns our seconds of the statement."""
    ours = {"ours": statement(bench, boosting_sql(trees, leaves)), "one": statement(bench, boosting_sql(1, leaves, "bench_one_tree"))}
    t = bench.in_turns({**ours, **sides}, rounds=rounds, warm=False)
    mine, what = t["ours"] - t["one"], f"{trees} x {leaves}"
    auc = holdout_auc(bench, BOOSTED)
    cpu = statistics.median(ours["ours"].cpu) - statistics.median(ours["one"].cpu)
    for (name, side), target in zip(sides.items(), boosting_targets(trees, leaves)):
        bench.line(f"boosting {what}, without binning", mine, name, middle(side, kernel), target)
        bench.line(f"boosting {what}, CPU of it", cpu, name, middle(side, lambda r: r["train_cpu_s"] - r["short_cpu_s"]), "")
        theirs = side.results[-1]["auc"]
        bench.note(f"boosting {what}: AUC on the holdout {auc:.5f}, {name} {theirs:.5f} ({auc - theirs:+.5f}); "
                   f"its process took {side.results[-1]['train_rss_mib']} MiB")
    return t["ours"]


def boosting_targets(trees, leaves):
    if (trees, leaves) == (100, 31):
        return "<= 0.75", "<= 0.5", "", ""
    return ("<= 0.9",)


def part_boosting(bench):
    with tempfile.TemporaryDirectory() as folder:
        sides = {"LightGBM quantised": library("--quantised", "lightgbm"), "LightGBM": library("lightgbm"),
                 "XGBoost": library("--model", os.path.join(folder, "model.ubj"), "xgboost"), "scikit-learn": library("sklearn"),
                 "CSV + LightGBM": library("--pull", "csv", "lightgbm")}
        ours = compare_boosting(bench, 100, 31, sides, max(1, bench.rounds // 2))
        bench.line("ml.train('gradient_boosting') 100 x 31", ours, "COPY BINARY + LightGBM quantised", middle(sides["LightGBM quantised"], whole), ">= 2")
        bench.line("ml.train('gradient_boosting') 100 x 31", ours, "CSV + LightGBM", middle(sides["CSV + LightGBM"], whole), ">= 3.5")
        bench.line("ml.train('gradient_boosting') 100 x 31", ours, "COPY BINARY + XGBoost", middle(sides["XGBoost"], whole), "")


def part_large(bench):
    for trees, leaves in ((500, 31), (100, 255)):
        side = library("--quantised", "--trees", str(trees), "--leaves", str(leaves), "lightgbm")
        compare_boosting(bench, trees, leaves, {"LightGBM quantised": side}, max(1, bench.rounds // 3))


def part_seeds(bench):
    """One seed tells little: after many rounds models of one library differ by more in their AUC than libraries do on average."""
    auc = {"ours": [], "LightGBM": [], "LightGBM quantised": []}
    for seed in range(1, bench.arguments.seeds + 1):
        bench.cursor.execute(boosting_sql(500, more=f', "random_state": {seed}'))
        auc["ours"].append(holdout_auc(bench, BOOSTED))
        for name, options in (("LightGBM", ()), ("LightGBM quantised", ("--quantised",))):
            side = library("--trees", "500", "--seed", str(seed), *options, "lightgbm")
            side()
            auc[name].append(side.results[-1]["auc"])
    mean, sd = ({name: measure(values) for name, values in auc.items()} for measure in (statistics.mean, statistics.pstdev))
    for name in list(auc)[1:]:
        bench.note(f"boosting 500 x 31, AUC on the holdout of {bench.arguments.seeds} seeds: {mean['ours']:.5f} (sd {sd['ours']:.5f}), "
                   f"{name} {mean[name]:.5f} (sd {sd[name]:.5f}): {mean['ours'] - mean[name]:+.5f}")


def part_jobs(bench):
    sides = {(jobs, trees): bench.sql(boosting_sql(trees, model=f"bench_jobs_{jobs}", more=f', "n_jobs": {jobs}'))
             for jobs in (1, 2) for trees in (100, 1)}
    t = bench.in_turns(sides, rounds=max(1, bench.rounds // 2), warm=False)
    bench.line("boosting 100 x 31, n_jobs 2, without binning", t[2, 100] - t[2, 1], "n_jobs 1", t[1, 100] - t[1, 1], ">= 1.6")
    bench.line("boosting 100 x 31, n_jobs 2, whole statement", t[2, 100], "n_jobs 1", t[1, 100], "")


def compare_trained(bench, algorithm, params, what, side, **settings):
    ours = statement(bench, train_sql(algorithm, f"bench_{algorithm}", params), **settings)
    t = bench.in_turns({"ours": ours, "theirs": side}, rounds=max(1, bench.rounds // 4), warm=False)
    bench.line(f"ml.train {what}", t["ours"], "scikit-learn, training alone", middle(side, lambda r: r["train_s"]), ">= 15")
    bench.line(f"ml.train {what}", t["ours"], "COPY BINARY + scikit-learn", middle(side, whole), "")
    auc, theirs = holdout_auc(bench, f"bench_{algorithm}"), side.results[-1]
    bench.note(f"{what}: AUC on the holdout {auc:.5f}, scikit-learn {theirs['auc']:.5f} ({auc - theirs['auc']:+.5f}); CPU {ours.cpu[-1]:.1f} s, "
               f"scikit-learn's training {theirs['train_cpu_s']:.1f} s; its process took {theirs['train_rss_mib']} MiB")


def part_forest(bench):
    trees = bench.arguments.forest_trees
    compare_trained(bench, "random_forest", f'"n_estimators": {trees}, "min_data_in_leaf": 1', f"random forest, {trees} trees, full depth",
                    library("--trees", str(trees), "forest"), **{"relearn.max_memory": "'4GB'"})


def part_tree(bench):
    compare_trained(bench, "decision_tree", '"max_depth": 8', "decision tree, depth 8", library("tree"))


# ---------------------------------------------------------------- size

def rows_of(bench, rows):
    """A source of so many rows: the first of bench_wide, or a larger table made as that was, in a schema of its own."""
    if rows <= bench.rows:
        return f"select * from bench_wide where id <= {rows}"
    schema = f"bench_{rows}"
    bench.cursor.execute(f"create schema if not exists {schema}")
    if bench.value(f"select to_regclass('{schema}.bench_wide') is null"):
        subprocess.run(["psql", "-Xq", "-v", f"rows={rows}", "-f", os.path.join(HERE, "gen.sql")], check=True,
                       env={**os.environ, "PGOPTIONS": f"-c search_path={schema}"})
    return f"select * from {schema}.bench_wide"


def part_growth(bench):
    sizes = sorted(int(n) for n in bench.arguments.sizes.split(","))
    sides = {n: bench.sql(boosting_sql(source=rows_of(bench, n), model="bench_growth")) for n in sizes}
    t = bench.in_turns(sides, rounds=max(1, bench.rounds // 2), warm=False)
    for less, more in zip(sizes, sizes[1:]):
        bench.line(f"boosting 100 x 31, {more} rows", t[more], f"{more / less:g} x {less} rows", t[less] * more / less, "<= 1.15")


def part_memory(bench):
    for settings, target in (((), 320), (("relearn.max_memory=200MB",), 200)):
        (most, leader, workers, shared), failed = peak(boosting_sql(source="select * from bench_wide", model="bench_memory"), settings)
        bench.note(f"memory of boosting 100 x 31 on all rows, {settings[0] if settings else 'default relearn.max_memory'}: {most:.0f} MiB over idle "
                   f"backends (leader {leader:.0f}, workers {workers:.0f}, shared {shared:.0f}), target {target}: "
                   + (failed or ("yes" if most <= target else "NO")))


# ---------------------------------------------------------------- scoring

def ensure_boosted(bench):
    if bench.value(f"select count(*) from ml.models where model = '{BOOSTED}'") == 0:
        bench.cursor.execute(boosting_sql())


def store(query):
    return "drop table if exists bench_pred", f"create unlogged table bench_pred as {query}"


def part_score(bench):
    bench.cursor.execute(boosting_sql())
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.ubj")
        library("--model", file, "xgboost")()
        t = bench.in_turns({
            "sums": bench.sql(SUMS, **SERIAL),
            "sum": bench.sql(f"select sum(ml.predict_proba('{BOOSTED}', t.*)) from bench_wide t", **SERIAL),
            "record": bench.sql(f"select sum(ml.predict_proba('{BOOSTED}', r)) from (select t as r from bench_wide t offset 0) s", **SERIAL),
            "parallel": bench.sql(f"select sum(ml.predict_proba('{BOOSTED}', t.*)) from bench_wide t"),
            "store": bench.sql(*store(f"select id, ml.predict_proba('{BOOSTED}', t.*) as p from bench_wide t")),
            "table": bench.sql(*store(f"select key, probability from ml.predict_table('{BOOSTED}', 'bench_wide', 'id')")),
            "count": bench.sql(f"select sum(probability) from ml.predict_table('{BOOSTED}', 'bench_wide', 'id')"),
            "peer": library("--model", file, "score")})
    bench.line("sum(ml.predict_proba(m, t.*)) 100 x 31, columns, one process", t["sum"], "28 sums", t["sums"], "<= 3.5")
    bench.line("sum(ml.predict_proba(m, t)) 100 x 31, record, one process", t["record"], "28 sums", t["sums"], "")
    bench.line("sum(ml.predict_proba(m, t.*)) 100 x 31, plan as chosen", t["parallel"], "one process", t["sum"], "")
    peer_name = "COPY BINARY + XGBoost + write back"
    bench.line("create table as select id, ml.predict_proba(m, t.*)", t["store"], peer_name, t["peer"], ">= 3")
    bench.line("create table as select * from ml.predict_table", t["table"], peer_name, t["peer"], "")
    bench.line("sum over ml.predict_table", t["count"], peer_name, t["peer"], ">= 5")


def part_point(bench):
    ensure_boosted(bench)
    point = "select id, {} from bench_wide t where id = :id"
    t = bench.in_turns({"with": pgbench(point.format(f"ml.predict_proba('{BOOSTED}', t)"), bench.rows, 1),
                        "without": pgbench(point.format("f28"), bench.rows, 1)}, rounds=2 * bench.rounds + 1, warm=False)
    bench.line("prepared point query with ml.predict_proba, 100 x 31", t["with"], "without", t["without"], "<= 1.15", "us")


PARTS = {"boosting": part_boosting, "large": part_large, "seeds": part_seeds, "jobs": part_jobs, "forest": part_forest, "tree": part_tree,
         "growth": part_growth, "memory": part_memory, "score": part_score, "point": part_point}


def group(bench):
    for part in bench.arguments.parts.split(","):
        PARTS[part](bench)
