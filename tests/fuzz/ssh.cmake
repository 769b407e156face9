# What the storage ssh reads of others: known_hosts, prefixes, key files, the server's answers.
if(TARGET walrig_ssh)
  walrig_fuzzer(known_hosts DEPS walrig_ssh)
  walrig_fuzzer(ssh_url DEPS walrig_ssh)
  walrig_fuzzer(ssh_key_kind DEPS walrig_ssh)
  walrig_fuzzer(sftp_answer DEPS walrig::sdk)
  target_sources(fuzz_sftp_answer PRIVATE "${PROJECT_SOURCE_DIR}/plugins/storage/ssh/packet.cc")
endif()
