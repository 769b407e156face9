# walrig_add_plugin(KIND-NAME SOURCES file... [LIBS target...] [VERSION x.y.z]): the plugin KIND-NAME.so, as a host wants
# it: one exported symbol, everything bound at load, never unloaded, no path of the build machine inside. Works in
# walrig's own tree and, by find_package(walrig-sdk), in anybody's.
#
# In C++ sources WALRIG_PLUGIN_VERSION is the version as a string literal; it defaults to the project's.
include_guard(GLOBAL)
set(WALRIG_SDK_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}")

function(walrig_add_plugin name)
  cmake_parse_arguments(ARG "" "VERSION" "SOURCES;LIBS" ${ARGN})
  if(NOT name MATCHES "^(storage|compressor|cipher|transport)-[a-z][a-z0-9_-]*$")
    message(FATAL_ERROR "walrig_add_plugin: the name ${name} is not KIND-NAME")
  endif()
  if(NOT ARG_VERSION)
    set(ARG_VERSION "${PROJECT_VERSION}")
  endif()
  if(NOT ARG_VERSION)
    message(FATAL_ERROR "walrig_add_plugin: ${name} has no version: give VERSION, here or to project()")
  endif()

  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE walrig::sdk ${ARG_LIBS})
  if(TARGET walrig_flags)
    target_link_libraries(${name} PRIVATE walrig_flags)
  endif()
  target_compile_definitions(${name} PRIVATE "WALRIG_PLUGIN_VERSION=\"${ARG_VERSION}\"")
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" SKIP_BUILD_RPATH ON INSTALL_RPATH "" INSTALL_RPATH_USE_LINK_PATH OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON
    LINK_DEPENDS "${WALRIG_SDK_CMAKE_DIR}/plugin.map")

  if(NOT CMAKE_CXX_STANDARD)
    set_target_properties(${name} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  endif()

  # Hidden visibility is not enough: headers of libraries mark types visible, and some of those become unique symbols
  # that all plugins of a process would share. The version script keeps everything in.
  target_link_options(${name} PRIVATE "LINKER:--version-script=${WALRIG_SDK_CMAKE_DIR}/plugin.map"
    "LINKER:-z,now" "LINKER:-z,relro" "LINKER:-z,nodelete" "LINKER:-z,noexecstack" "LINKER:--exclude-libs,ALL"
    "LINKER:--as-needed")
  # A sanitizer's runtime is the program's: its symbols are missing here by design.
  if(NOT WALRIG_SANITIZE)
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()

  if(WALRIG_BUILD_PLUGINDIR)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${WALRIG_BUILD_PLUGINDIR}")
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION "${WALRIG_INSTALL_PLUGINDIR}" COMPONENT plugins)
endfunction()

# walrig_plugin_alias(KIND-OTHER KIND-NAME): a link beside the plugin, so that a second name which it serves is found
# by its file name too.
function(walrig_plugin_alias alias name)
  set(dir "$<TARGET_FILE_DIR:${name}>")
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E create_symlink "$<TARGET_FILE_NAME:${name}>" "${dir}/${alias}.so" VERBATIM)
  install(CODE "
    set(link_dir \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${WALRIG_INSTALL_PLUGINDIR}\")
    if(IS_ABSOLUTE \"${WALRIG_INSTALL_PLUGINDIR}\")
      set(link_dir \"\$ENV{DESTDIR}${WALRIG_INSTALL_PLUGINDIR}\")
    endif()
    file(MAKE_DIRECTORY \"\${link_dir}\")
    message(STATUS \"Installing: \${link_dir}/${alias}.so -> ${name}.so\")
    file(CREATE_LINK \"${name}.so\" \"\${link_dir}/${alias}.so\" SYMBOLIC)" COMPONENT plugins)
endfunction()
