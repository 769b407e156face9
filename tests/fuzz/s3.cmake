# The parsers of storage-s3.
if(TARGET walrig_plugin_s3)
  walrig_fuzzer(s3_answers DEPS walrig_plugin_s3)
  walrig_fuzzer(s3_files DEPS walrig_plugin_s3)
endif()
