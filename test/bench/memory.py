#!/usr/bin/env python3
"""The most memory that statements take on the server, in MiB over idle backends: private memory of the leader and of its workers, and dynamic shared
memory counted once (shared buffers and the program's own pages are not counted).

usage: memory.py [--set NAME=VALUE]... STATEMENT...        (libpq's environment variables; on the server's machine, as root or the server's user)

One line a statement: peak, and what of it is private to the leader, to the workers, shared.  A new session for each.
"""
import argparse
import os
import re
import threading
import time

import psycopg2

SAMPLE_SECONDS = 0.005


def private_kib(pid):
    """Anonymous memory of a process; 0 where it has gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"RssAnon:\s+(\d+)", status.read())[1])
    except (OSError, TypeError):
        return 0


def workers_of(leader, postmaster):
    """Process ids of the leader's parallel workers, by their titles."""
    try:
        with open(f"/proc/{postmaster}/task/{postmaster}/children") as children:
            pids = children.read().split()
    except OSError:
        return []
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline") as title:
                if f"parallel worker for PID {leader} " in title.read() + " ":
                    found.append(int(pid))
        except OSError:
            pass
    return found


def shared_kib(pid):
    """Dynamic shared memory that a process has mapped."""
    try:
        with open(f"/proc/{pid}/maps") as maps:
            paths = set(re.findall(r"(/dev/shm/PostgreSQL\.\d+|\S+/pg_dynshmem/mmap\.\d+)$", maps.read(), re.MULTILINE))
        return sum(os.stat(path).st_blocks // 2 for path in paths)
    except OSError:
        return 0


def parent_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"PPid:\s+(\d+)", status.read())[1])


def peak(statement, settings=()):
    """(peak, leader, workers, shared) in MiB at the worst moment, and the error's first line or None."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor, leader = connection.cursor(), connection.info.backend_pid
    postmaster = parent_of(leader)
    for setting in settings:
        name, value = setting.split("=", 1)
        cursor.execute("select set_config(%s, %s, false)", (name, value))
    idle, shared_before, done = private_kib(leader), shared_kib(leader), threading.Event()
    failed = []

    def run():
        try:
            cursor.execute(statement)
        except psycopg2.Error as error:
            failed.append(str(error).splitlines()[0])
        done.set()

    runner = threading.Thread(target=run)
    runner.start()
    worst = (0, 0, 0, 0)
    while not done.wait(SAMPLE_SECONDS):
        parts = (private_kib(leader) - idle, sum(max(private_kib(pid) - idle, 0) for pid in workers_of(leader, postmaster)),
                 shared_kib(leader) - shared_before)
        worst = max(worst, (sum(parts), *parts))
    runner.join()
    connection.close()
    return tuple(kib / 1024 for kib in worst), failed[0] if failed else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("statement", nargs="+")
    arguments = parser.parse_args()
    for statement in arguments.statement:
        start = time.perf_counter()
        parts, failed = peak(statement, arguments.set)
        seconds = time.perf_counter() - start
        print("%.1f MiB (leader %.1f, workers %.1f, shared %.1f) in %.1f s: %s" % (*parts, seconds, failed or statement), flush=True)


if __name__ == "__main__":
    main()
