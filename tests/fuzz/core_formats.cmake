# Fuzzers of the formats of PostgreSQL and of the storage layout.
walrig_fuzzer(backup_label DEPS walrig_postgres)
walrig_fuzzer(backup_manifest DEPS walrig_postgres)
walrig_fuzzer(backup_metadata DEPS walrig_layout)
walrig_fuzzer(files_metadata DEPS walrig_layout)
walrig_fuzzer(pg_control DEPS walrig_postgres)
walrig_fuzzer(sentinel DEPS walrig_layout)
walrig_fuzzer(wal_name DEPS walrig_layout)
walrig_fuzzer(wal_page DEPS walrig_postgres)
