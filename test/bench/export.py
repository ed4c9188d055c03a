"""The table out of the database and predictions back into it, as peers do it; seconds of named steps."""
import io
import time

import numpy as np
import pandas as pd
import psycopg2

FEATURES = [f"f{i:02d}" for i in range(1, 29)]
NULLABLE = ("f03", "f16", "f26")
RESULT = {}


class Step:
    """Seconds and CPU seconds of a step, into RESULT."""
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.start, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        RESULT[self.name + "_s"] = round(time.perf_counter() - self.start, 3)
        RESULT[self.name + "_cpu_s"] = round(time.process_time() - self.cpu, 3)


def pull_csv(dsn, columns):
    buffer = io.BytesIO()
    psycopg2.connect(dsn).cursor().copy_expert(
        f"copy (select id, y::int, {', '.join(columns)} from bench_wide) to stdout (format csv)", buffer)
    buffer.seek(0)
    table = pd.read_csv(buffer, header=None, names=["id", "y"] + columns)
    return table["id"].to_numpy(), table["y"].to_numpy(), table[columns].to_numpy()


def pull_bin(dsn, columns):
    buffer = io.BytesIO()
    select = ", ".join(f"coalesce({c}, 'NaN') {c}" if c in NULLABLE else c for c in columns)
    psycopg2.connect(dsn).cursor().copy_expert(f"copy (select id, y::int, {select} from bench_wide) to stdout (format binary)", buffer)
    row = np.dtype([("n", ">i2"), ("l0", ">i4"), ("id", ">i8"), ("l1", ">i4"), ("y", ">i4")]
                   + [field for c in columns for field in (("l" + c, ">i4"), (c, ">f8"))])
    raw = np.frombuffer(buffer.getbuffer(), dtype=row, offset=19, count=(buffer.tell() - 21) // row.itemsize)
    X = np.empty((len(raw), len(columns)))
    for j, c in enumerate(columns):
        X[:, j] = raw[c]
    return raw["id"].astype(np.int64), raw["y"].astype(np.int64), X


def write_back(dsn, ids, values):
    """values: one column, or a matrix."""
    names = [f"p{j + 1}" for j in range(np.atleast_2d(values.T).shape[0])]
    rows = np.empty(len(ids), dtype=[("n", ">i2"), ("l0", ">i4"), ("id", ">i8")] + [field for p in names for field in (("l" + p, ">i4"), (p, ">f8"))])
    rows["n"], rows["l0"], rows["id"] = 1 + len(names), 8, ids
    for name, column in zip(names, np.atleast_2d(values.T)):
        rows["l" + name], rows[name] = 8, column
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute(f"drop table if exists bench_peer; create unlogged table bench_peer (id bigint, {', '.join(name + ' float8' for name in names)})")
    cursor.copy_expert("copy bench_peer from stdin (format binary)",
                       io.BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"))
    connection.commit()
