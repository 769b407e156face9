# The plugins' tests drive the real .so files through the C ABI.
foreach(plugin storage-fs storage-gcs storage-s3 storage-azure compressor-zstd compressor-lz4 compressor-xz compressor-brotli compressor-gzip compressor-lzo cipher-gcrypt cipher-libsodium cipher-openpgp)
  string(REGEX REPLACE "^([a-z]+)-" "\\1/" folder "${plugin}")
  if(TARGET ${plugin})
    walrig_unit_test(plugins/${folder} DEPS walrig::sdk ${CMAKE_DL_LIBS})
    set(target "unit_plugins_${folder}")
    string(REPLACE "/" "_" target "${target}")
    if(TARGET ${target})
      add_dependencies(${target} ${plugin})
      target_compile_definitions(${target} PRIVATE "WALRIG_TEST_PLUGINDIR=\"${WALRIG_BUILD_PLUGINDIR}\"")
    endif()
  endif()
endforeach()

# libsodium by itself, to compare the plugin with.
if(TARGET unit_plugins_cipher_libsodium)
  add_executable(sodium_tool plugins/cipher/libsodium/sodium_tool.c)
  pkg_check_modules(LIBSODIUM_TOOL REQUIRED IMPORTED_TARGET libsodium)
  target_link_libraries(sodium_tool PRIVATE PkgConfig::LIBSODIUM_TOOL walrig_flags)
  add_dependencies(unit_plugins_cipher_libsodium sodium_tool)
  target_compile_definitions(unit_plugins_cipher_libsodium PRIVATE "WALRIG_TEST_SODIUM_TOOL=\"$<TARGET_FILE:sodium_tool>\"")
endif()
# The parts of cipher-gcrypt are tested by themselves, too.
if(TARGET unit_plugins_cipher_gcrypt)
  target_link_libraries(unit_plugins_cipher_gcrypt PRIVATE walrig_cipher_gcrypt)
endif()
# As are those of storage-azure.
if(TARGET unit_plugins_storage_azure)
  target_link_libraries(unit_plugins_storage_azure PRIVATE walrig_storage_azure)
endif()
# As are those of storage-gcs.
if(TARGET unit_plugins_storage_gcs)
  target_link_libraries(unit_plugins_storage_gcs PRIVATE walrig_storage_gcs)
endif()
