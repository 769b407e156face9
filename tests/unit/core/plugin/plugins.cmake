# Plugins for the tests of core/plugin: one source, many ways to misbehave.
set(test_plugin_dir "${CMAKE_CURRENT_BINARY_DIR}/test_plugins")

function(walrig_test_plugin name)
  add_library(test_plugin_${name} MODULE "${CMAKE_CURRENT_SOURCE_DIR}/core/plugin/test_plugin.c")
  target_include_directories(test_plugin_${name} PRIVATE "${PROJECT_SOURCE_DIR}/sdk/include")
  target_compile_definitions(test_plugin_${name} PRIVATE ${ARGN})
  target_link_libraries(test_plugin_${name} PRIVATE walrig_flags)
  set_target_properties(test_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME "${name}" SKIP_BUILD_RPATH ON
    LIBRARY_OUTPUT_DIRECTORY "${test_plugin_dir}")
  add_dependencies(unit_core_plugin test_plugin_${name})
endfunction()

if(TARGET unit_core_plugin)
  walrig_test_plugin(good)
  walrig_test_plugin(crash TEST_CRASH)
  walrig_test_plugin(hang TEST_HANG)
  walrig_test_plugin(exit TEST_EXIT)
  walrig_test_plugin(no_entry TEST_NO_ENTRY)
  walrig_test_plugin(wrong_major TEST_MAJOR=2)
  walrig_test_plugin(wrong_major_note TEST_MAJOR_NOTE)
  walrig_test_plugin(newer_minor TEST_MINOR=7)
  walrig_test_plugin(needs_newer TEST_MINOR=7 TEST_MIN_HOST=7)
  walrig_test_plugin(other_note TEST_OTHER_NOTE)
  walrig_test_plugin(missing TEST_NEEDS)
  add_library(walrig_test_gone SHARED "${CMAKE_CURRENT_SOURCE_DIR}/core/plugin/gone.c")
  set_target_properties(walrig_test_gone PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${test_plugin_dir}/elsewhere")
  target_link_libraries(test_plugin_missing PRIVATE walrig_test_gone)
  add_dependencies(unit_core_plugin walrig-plugin-probe)
  target_compile_definitions(unit_core_plugin PRIVATE "WALRIG_TEST_PLUGINS=\"${test_plugin_dir}\""
    "WALRIG_TEST_GONE_DIR=\"${test_plugin_dir}/elsewhere\""
    "WALRIG_TEST_PROBE=\"${WALRIG_BUILD_LIBEXECDIR}/walrig-plugin-probe\"")
endif()
