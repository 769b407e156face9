# Flags, dependencies and the two functions that every room's target is made with.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Compiling sixteen files of a target as one takes a third of the time, since most of it goes into headers. Names in unnamed
# namespaces must then differ within a target.
if(WALRIG_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Every file but the first looks like a header to this warning.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
  endif()
endif()

# The ABI major is part of the directory, so that two majors can live side by side.
set(WALRIG_PLUGIN_SUBDIR "walrig/plugins-1")
set(WALRIG_INSTALL_PLUGINDIR "${CMAKE_INSTALL_LIBDIR}/${WALRIG_PLUGIN_SUBDIR}")
# Where a build tree keeps its plugins and programs, so that tests run from it as from an installation.
set(WALRIG_BUILD_PLUGINDIR "${PROJECT_BINARY_DIR}/lib/${WALRIG_PLUGIN_SUBDIR}")
set(WALRIG_BUILD_BINDIR "${PROJECT_BINARY_DIR}/bin")
set(WALRIG_BUILD_LIBEXECDIR "${PROJECT_BINARY_DIR}/libexec/walrig")

add_library(walrig_flags INTERFACE)
target_compile_options(walrig_flags INTERFACE -Wall -Wextra -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:-Wno-sign-conversion>)
if(WALRIG_DEVELOPER)
  target_compile_options(walrig_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies inside of std::string's operator+ at -O3 (GCC bug 105651), and takes the insides of
  # std::optional and std::regex for uninitialised at -O3 and under sanitizers (GCC bug 105562). clang judges both right.
  target_compile_options(walrig_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict> -Wno-maybe-uninitialized)
endif()
target_link_libraries(walrig_flags INTERFACE Threads::Threads)
if(WALRIG_SANITIZE)
  add_compile_options(-fsanitize=${WALRIG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WALRIG_SANITIZE})
endif()
if(WALRIG_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
if(WALRIG_FUZZ)
  # Counters that tell libFuzzer which way an input went; besides WALRIG_SANITIZE.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# walrig_room(NAME DEPS target...): the static library walrig_NAME from all .cc files of this folder. A room without
# sources yet is an interface library.
function(walrig_room name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  if(sources)
    add_library(walrig_${name} STATIC ${sources})
    target_include_directories(walrig_${name} PUBLIC "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/core/include"
      "${PROJECT_SOURCE_DIR}/sdk/include")
    target_link_libraries(walrig_${name} PUBLIC ${ARG_DEPS} PRIVATE walrig_flags)
  else()
    add_library(walrig_${name} INTERFACE)
    target_link_libraries(walrig_${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# walrig_unit_test(PATH [ONE_THREAD] DEPS target...): one GoogleTest program of tests/unit/PATH/*_test.cc, each test case
# a ctest test with the label "unit". ONE_THREAD: no test of it ever has two threads; a build for ThreadSanitizer leaves it
# out.
function(walrig_unit_test path)
  cmake_parse_arguments(ARG "ONE_THREAD" "" "DEPS" ${ARGN})
  if(ARG_ONE_THREAD AND WALRIG_SANITIZE STREQUAL "thread")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${path}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  string(REPLACE "/" "_" target "unit_${path}")
  add_executable(${target} ${sources})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  # Optimising what runs once would take half of the time of a build; the rooms under test keep their level.
  target_compile_options(${target} PRIVATE -O0)
  if(WALRIG_FUZZ)
    target_compile_options(${target} PRIVATE -fno-sanitize=fuzzer-no-link)
  endif()
  target_link_libraries(${target} PRIVATE ${ARG_DEPS} walrig_test_support GTest::gmock GTest::gtest_main walrig_flags)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 120
    ENVIRONMENT "WALRIG_TEST_DATA=${PROJECT_SOURCE_DIR}/tests/data")
endfunction()
