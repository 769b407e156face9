#!/usr/bin/env bash
# From a fresh Debian 12 or 13 to a PostgreSQL that was lost and brought back, in two steps: build walrig, then use it.
#
#   bash packaging/quickstart.sh
#
# Installs what the build needs, builds Release, and on a throwaway PostgreSQL under load: backup, continuous archiving,
# a noted moment, destruction, restore to that moment; proves that the data are those of the moment. Touches nothing
# outside this tree but packages, and a directory of its own that it removes (WALRIG_KEEP=1 keeps it).
# Works as root (PostgreSQL then runs as the user postgres) and as a user with sudo. Ends with "quickstart: OK".
set -euo pipefail
cd "$(dirname "$0")/.."
[[ ${1:-} == -h || ${1:-} == --help ]] && { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0; }
root=$PWD
umask 022 # plugins that others may write are not loaded
began=$(date +%s.%N)
fail() { echo "quickstart: FAILED: $*" >&2; exit 1; }
step() { printf '%6.1f s  %s\n' "$(echo "$(date +%s.%N) $began" | awk '{print $1 - $2}')" "$*"; }

step "installing what the build needs"
bash packaging/deps.sh build || fail "packages could not be installed"
step "building (Release, without object stores, ssh and ciphers), and installing PostgreSQL meanwhile"
mkdir -p build
bash packaging/deps.sh run &
postgres=$!
# Filesystem storage and the compressors: what the rest of this needs. README has the command that builds all.
left_out=(
  -DWALRIG_PLUGIN_STORAGE_{S3,GCS,AZURE,SSH}=OFF
  -DWALRIG_PLUGIN_CIPHER_{GCRYPT,LIBSODIUM,OPENPGP}=OFF
)
{ cmake -S . -B build/quickstart -G Ninja -DCMAKE_BUILD_TYPE=Release -DWALRIG_DEVELOPER=OFF -DWALRIG_UNITY=ON "${left_out[@]}" \
  && cmake --build build/quickstart; } \
  >build/quickstart.log 2>&1 || { wait; grep -E 'error|FAILED' build/quickstart.log | head; fail "the build; see build/quickstart.log"; }
wait "$postgres" || fail "PostgreSQL could not be installed"

# PostgreSQL refuses root; root hands the directory to the user postgres.
if [[ $(id -u) -eq 0 ]]; then
  world=$(mktemp -d /opt/walrig-quickstart.XXXXXX)
  as_pg=(setpriv --reuid=postgres --regid=postgres --clear-groups)
else
  world=$(mktemp -d "$root/build/world.XXXXXX")
  as_pg=(env)
  export WALRIG_PLUGIN_TRUST=any # the checkout may lie below a folder that others may write to
fi
chmod 755 "$world"
sockets=$(mktemp -d /tmp/wq.XXXXXX) # a socket's path must be short
# The newest major that this machine has.
bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
[[ -x $bin/initdb && -x $bin/postgres ]] || fail "no initdb and postgres in ${bin:-/usr/lib/postgresql}"
data=$world/data pg=$world/data/primary restored=$world/data/restored
export PATH=$world/prefix/bin:$bin:$PATH HOME=$data LC_ALL=C.UTF-8
export PGHOST=$sockets PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
export WALG_FILE_PREFIX=$data/storage WALG_COMPRESSION_METHOD=zstd WALG_ZSTD_LEVEL=fastest WALG_UPLOAD_DISK_CONCURRENCY=2
unset PGDATA PGSERVICE WALG_CONFIG_PATH 2>/dev/null || true
cleanup() {
  for d in "$pg" "$restored"; do
    [[ -e $d/postmaster.pid ]] && "${as_pg[@]}" pg_ctl -D "$d" -m immediate stop >/dev/null 2>&1 || true
  done
  rm -rf "$sockets"
  if [[ -n ${WALRIG_KEEP:-} ]]; then echo "kept: $world" >&2; else rm -rf "$world"; fi
}
trap cleanup EXIT
cmake --install build/quickstart --prefix "$world/prefix" >>build/quickstart.log 2>&1 || fail "cmake --install; see build/quickstart.log"
mkdir -p "$data/storage"
[[ $(id -u) -ne 0 ]] || chown -R postgres "$data" "$sockets"
cd "$data"
sql() { "${as_pg[@]}" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
log=$data/walrig.log
say_why() { tail -n 20 "$log" "$world"/data/*.log 2>/dev/null >&2; fail "$1"; }
run() { "${as_pg[@]}" sh -c 'log=$1; shift; exec "$@" >>"$log" 2>&1' sh "$log" "$@" || say_why "$*"; }
seconds() { date +%s.%N; }

step "a throwaway $("$bin/postgres" --version) with archive_command = 'walrig wal-push %p'"
"${as_pg[@]}" initdb -D "$pg" -U postgres -A trust -k -N >/dev/null
cat <<CONF | "${as_pg[@]}" tee -a "$pg/postgresql.conf" >/dev/null
listen_addresses = ''
unix_socket_directories = '$sockets'
archive_mode = on
archive_command = 'walrig wal-push %p'
shared_buffers = 128MB
max_wal_size = 2GB
autovacuum = off
CONF
"${as_pg[@]}" pg_ctl -D "$pg" -l "$data/primary.log" -w start >/dev/null || say_why "PostgreSQL does not start"
"${as_pg[@]}" pgbench -i -s 40 -q >/dev/null 2>&1 || say_why "pgbench -i"
sql "create table moment (id int primary key, t timestamptz default clock_timestamp())"

step "backup-push while pgbench writes"
"${as_pg[@]}" pgbench -n -c 2 -T 600 >/dev/null 2>&1 &
load=$!
sleep 1
t0=$(seconds)
run walrig backup-push "$pg"
t1=$(seconds)
backup=$("${as_pg[@]}" walrig backup-list --json | sed -n 's/.*"backup_name": *"\([^"]*\)".*/\1/p' | head -n 1)
[[ -n $backup ]] || fail "no backup is listed"

step "more load, then a noted moment"
sleep 3
sql "insert into moment values (1)"
kill "$load" 2>/dev/null || true
wait "$load" 2>/dev/null || true
while [[ $(sql "select count(*) from pg_stat_activity where application_name = 'pgbench'") != 0 ]]; do sleep 0.1; done
state="select (select sum(abalance) from pgbench_accounts), (select count(*) || ' rows, sum ' || sum(delta) from pgbench_history), (select max(id) from moment)"
wanted=$(sql "$state")
sleep 0.2
moment=$(sql "select clock_timestamp()")
sleep 0.2
sql "insert into moment values (2)"
"${as_pg[@]}" pgbench -n -c 2 -t 500 >/dev/null 2>&1
sql "delete from pgbench_accounts where aid % 2 = 0"
segment=$(sql "select pg_walfile_name(pg_switch_wal())")
for _ in $(seq 300); do
  [[ $(sql "select last_archived_wal >= '$segment' from pg_stat_archiver") == t ]] && break
  sleep 0.2
done
[[ $(sql "select last_archived_wal >= '$segment' from pg_stat_archiver") == t ]] || say_why "the archive does not get $segment"
archived=$(sql "select archived_count from pg_stat_archiver")
[[ $(sql "select failed_count from pg_stat_archiver") == 0 ]] || say_why "archive_command failed"
size=$(du -sb --exclude=pg_wal "$pg" | cut -f 1)

step "destruction"
"${as_pg[@]}" pg_ctl -D "$pg" -m immediate stop >/dev/null
rm -rf "$pg"

step "backup-fetch, recovery to $moment"
t2=$(seconds)
run walrig backup-fetch "$restored" "$backup" --recovery-target-time "$moment" --target-action promote
t3=$(seconds)
mkdir "$data/wal" && { [[ $(id -u) -ne 0 ]] || chown postgres "$data/wal"; }
range=$(sed -n 's/.*"Start-LSN": "\([^"]*\)", "End-LSN": "\([^"]*\)".*/\1 \2/p' "$restored/backup_manifest")
[[ -n $range ]] || fail "the restored backup_manifest names no WAL range"
last=${range#* } first=${range%% *}
for n in $(seq $((16#${first##*/} >> 24)) $((16#${last##*/} >> 24))); do
  name=$(printf '00000001%08X%08X' $((16#${first%%/*})) "$n")
  run walrig wal-fetch "$name" "$data/wal/$name"
done
run pg_verifybackup --wal-directory "$data/wal" "$restored"
"${as_pg[@]}" pg_ctl -D "$restored" -l "$data/restored.log" -t 120 -w start >/dev/null || say_why "the restored PostgreSQL does not start"
for _ in $(seq 600); do
  [[ $(sql "select pg_is_in_recovery()" 2>/dev/null || true) == f ]] && break
  sleep 0.2
done
t4=$(seconds)
[[ $(sql "select pg_is_in_recovery()") == f ]] || say_why "recovery did not end"

step "is it the moment's data, whole and sound?"
got=$(sql "$state")
[[ $got == "$wanted" ]] || fail "the restored data differ: wanted [$wanted], got [$got]"
[[ $(sql "select count(*) from moment where id = 2") == 0 ]] || fail "data later than the moment came back"
run pg_amcheck --install-missing -d postgres
run walrig backup-verify "$backup"

stored=$(du -sb "$data/storage/basebackups_005" | cut -f 1)
wal_stored=$(du -sb "$data/storage/wal_005" | cut -f 1)
awk -v size="$size" -v stored="$stored" -v wal="$wal_stored" -v n="$archived" -v b="$(echo "$t1 $t0" | awk '{print $1-$2}')" \
  -v r="$(echo "$t3 $t2" | awk '{print $1-$2}')" -v a="$(echo "$t4 $t3" | awk '{print $1-$2}')" 'BEGIN {
  m = 1048576
  printf "\n  %-34s %10s %10s %8s %8s\n", "what", "plain", "stored", "ratio", "time"
  printf "  %-34s %6.0f MiB %6.0f MiB %7.1fx %6.1f s\n", "backup-push (under load)", size/m, stored/m, size/stored, b
  printf "  %-34s %6.0f MiB %6.0f MiB %7.1fx %8s\n", "wal-push, " n " files", n*16, wal/m, n*16*m/wal, "-"
  printf "  %-34s %6.0f MiB %10s %8s %6.1f s\n", "backup-fetch, durable", size/m, "", "", r
  printf "  %-34s %10s %10s %8s %6.1f s\n", "pg_verifybackup and recovery", "", "", "", a
  printf "\n  restored to the moment: yes; pg_verifybackup, pg_amcheck, backup-verify: clean\n"
}'
step "done"
echo "quickstart: OK"
