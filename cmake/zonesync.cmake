# Build conventions of the project: one call per target, no flags anywhere else.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# On in the debug preset. Optimised builds of g++ 12 warn about code of its own library.
option(ZONESYNC_WERROR "Treat warnings as errors" OFF)
option(ZONESYNC_MUTANTS "Also build the sans-IO parts with deliberate bugs, for `mutants`" OFF)
option(ZONESYNC_FUZZ "Link the targets of conformance/fuzz with libFuzzer (clang)" OFF)
set(ZONESYNC_SANITIZE "" CACHE STRING "-fsanitize= list, e.g. address,undefined")

# One heavy unit (Beast websocket, Beast HTTP) at a time: each takes over 1 GB with a sanitizer.
set_property(GLOBAL PROPERTY JOB_POOLS heavy=1)

find_program(ZONESYNC_CCACHE ccache)
if(ZONESYNC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros "${ZONESYNC_CCACHE}")
endif()
find_program(ZONESYNC_MOLD mold)
if(ZONESYNC_MOLD AND NOT ZONESYNC_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(Threads REQUIRED)
find_package(FlatBuffers REQUIRED)
find_package(tl-expected REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(CLI11 REQUIRED)
find_package(RocksDB REQUIRED)
find_package(GTest REQUIRED)
# Debian's own, for which python3-yaml is installed, before any other on the PATH.
find_program(ZONESYNC_PYTHON python3 HINTS /usr/bin REQUIRED)
find_library(ZONESYNC_XXHASH xxhash REQUIRED)
find_library(ZONESYNC_ZSTD zstd REQUIRED)

add_library(zonesync_options INTERFACE)
target_include_directories(zonesync_options INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
target_compile_options(zonesync_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers
  $<$<BOOL:${ZONESYNC_WERROR}>:-Werror>)
target_compile_definitions(zonesync_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE)
if(ZONESYNC_SANITIZE)
  target_compile_options(zonesync_options INTERFACE
    -fsanitize=${ZONESYNC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(zonesync_options INTERFACE -fsanitize=${ZONESYNC_SANITIZE})
endif()

# zonesync_library(name DEPS a b SOURCES x.cpp ...): one leaf folder = one static library.
function(zonesync_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  if(A_SOURCES)
    add_library(${name} STATIC ${A_SOURCES})
    target_link_libraries(${name} PUBLIC zonesync_options ${A_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE zonesync_options ${A_DEPS})
  endif()
endfunction()

# zonesync_defect_variants(a b ...): builds each library a second time, as a_defects, with the marks
# of protocol/model/defect.hpp on. Dependencies come first; those that have a variant are replaced
# by it, so that a program links one build of each and never both. Called where the targets are all
# known.
function(zonesync_defect_variants)
  foreach(name IN LISTS ARGN)
    get_target_property(folder ${name} SOURCE_DIR)
    get_target_property(sources ${name} SOURCES)
    get_target_property(deps ${name} LINK_LIBRARIES)
    list(TRANSFORM sources PREPEND "${folder}/" REGEX "^[^/]")
    set(variants)
    foreach(dep IN LISTS deps)
      if(TARGET ${dep}_defects)
        list(APPEND variants ${dep}_defects)
      else()
        list(APPEND variants ${dep})
      endif()
    endforeach()
    add_library(${name}_defects STATIC ${sources})
    target_link_libraries(${name}_defects PUBLIC ${variants})
    target_compile_definitions(${name}_defects PUBLIC ZONESYNC_DEFECTS=1)
  endforeach()
endfunction()

# zonesync_program(name DEPS a b SOURCES x.cpp ...): an executable in build/<preset>/bin.
function(zonesync_program name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE zonesync_options ${A_DEPS})
endfunction()

# zonesync_test(name [LABELS l] [TIMEOUT s] DEPS a b SOURCES x_test.cpp ...): a GoogleTest program
# whose single cases are ctest cases `name.Suite.Case`.
function(zonesync_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE zonesync_options ${A_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  # What is tested is optimised as it is shipped; optimising the tests would double their build.
  if(NOT ZONESYNC_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
  endif()
  include(GoogleTest)
  set(properties TIMEOUT ${A_TIMEOUT})
  if(A_LABELS)
    list(APPEND properties LABELS "${A_LABELS}")
  endif()
  # Values of parameters stay out of the names: they may hold any byte.
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

# zonesync_heavy(source ...): compile these one at a time.
function(zonesync_heavy target)
  set_property(TARGET ${target} PROPERTY JOB_POOL_COMPILE heavy)
endfunction()
