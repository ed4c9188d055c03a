"""What the groups of the bench share: a connection, sides that take turns, the table's lines."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURES = [f"f{i:02d}" for i in range(1, 29)]
SERIAL = {"max_parallel_workers_per_gather": 0}
SUMS = "select " + ", ".join(f"sum({c})" for c in FEATURES) + " from bench_wide"


class Bench:
    def __init__(self, arguments):
        self.arguments, self.rows, self.rounds = arguments, arguments.rows, arguments.rounds
        self.lines, self.notes = [], []
        self.connection = connect()
        self.cursor = self.connection.cursor()

    def value(self, statement):
        self.cursor.execute(statement)
        return self.cursor.fetchone()[0]

    def sql(self, *statements, **settings):
        """A side: run the statements on the one warm connection and return the seconds they took."""
        def run():
            self.cursor.execute("reset all")
            for name, value in settings.items():
                self.cursor.execute(f"set {name} = {value}")
            start = time.perf_counter()
            for statement in statements:
                self.cursor.execute(statement)
                if self.cursor.description:
                    self.cursor.fetchall()
            return time.perf_counter() - start
        return run

    def in_turns(self, sides, rounds=None, warm=True):
        """{name: side} -> {name: median seconds}, the sides taking turns."""
        for run in sides.values() if warm else ():
            run()
        taken = {name: [] for name in sides}
        for _ in range(rounds or self.rounds):
            for name, run in sides.items():
                taken[name].append(run())
        return {name: statistics.median(t) for name, t in taken.items()}

    def line(self, what, ours, against, theirs, target, unit="s"):
        """target: "<= 1.8" bounds ours / theirs, ">= 5" theirs / ours, "" none."""
        self.lines.append((what, ours, against, theirs, target, unit))
        print(f"  {what}: {shown(ours, unit)} / {against}: {shown(theirs, unit)}", file=sys.stderr, flush=True)

    def note(self, text):
        self.notes.append(text)
        print(f"  {text}", file=sys.stderr, flush=True)


def connect():
    connection = psycopg2.connect("")
    connection.autocommit = True
    return connection


def shown(seconds, unit):
    return f"{seconds * {'s': 1, 'ms': 1e3, 'us': 1e6}[unit]:.3f} {unit}"


def peer(*arguments, script="peers.py"):
    """A side: the whole process of a script of peers.  Its last result is kept in side.result."""
    def run():
        start = time.perf_counter()
        out = subprocess.run([sys.executable, os.path.join(HERE, script), "--dsn", "", *arguments], check=True, capture_output=True, text=True)
        run.result = json.loads(out.stdout)
        return time.perf_counter() - start
    return run


def pgbench(statement, rows, seconds):
    """A side: client seconds of one transaction, prepared, one client."""
    def run():
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(f"\\set id random(1, {rows})\n{statement};\n")
            script.flush()
            out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", "1", "-T", str(seconds), "-f", script.name],
                                 check=True, capture_output=True, text=True).stdout
        return float(re.search(r"latency average = ([\d.]+) ms", out)[1]) / 1e3
    return run
