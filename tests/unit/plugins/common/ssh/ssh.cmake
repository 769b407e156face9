# The parts of the storage ssh that need no server; the rest is tested against a real sshd, in tests/integration.
if(TARGET walrig_ssh)
  walrig_unit_test(plugins/common/ssh DEPS walrig_ssh)
  walrig_unit_test(plugins/storage/ssh DEPS walrig::sdk)
  if(TARGET unit_plugins_storage_ssh)
    target_sources(unit_plugins_storage_ssh PRIVATE "${PROJECT_SOURCE_DIR}/plugins/storage/ssh/packet.cc")
  endif()
endif()
