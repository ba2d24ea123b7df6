# House rules and documentation as ctest cases; each rule also proves on planted violations that it
# would be noticed. Rules: tools/checks. Documentation: fenced blocks marked `sh test`.

foreach(rule layers sizes coroutines packages words clauses)
  set(tidy "${ZONESYNC_PYTHON}" -B "${CMAKE_SOURCE_DIR}/tools/tidy.py" ${rule})
  add_test(NAME tidy.${rule} COMMAND ${tidy} --root "${CMAKE_SOURCE_DIR}")
  add_test(NAME tidy.${rule}_selftest COMMAND ${tidy} --self-test)
  set_tests_properties(tidy.${rule} tidy.${rule}_selftest PROPERTIES
    LABELS tidy SKIP_RETURN_CODE 77 TIMEOUT 120)
endforeach()

# Tests of the tools that tests rely on.
file(GLOB tool_tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/tests/*_test.py")
foreach(tool_test IN LISTS tool_tests)
  cmake_path(GET tool_test STEM name)
  add_test(NAME tools.${name} COMMAND "${ZONESYNC_PYTHON}" -B "${tool_test}")
endforeach()

file(GLOB_RECURSE pages CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/tutorials/*.md")
foreach(page IN LISTS pages ITEMS "${CMAKE_SOURCE_DIR}/README.md"
        "${CMAKE_SOURCE_DIR}/docs/conformance.md")
  if(EXISTS "${page}")
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
    file(STRINGS "${page}" blocks REGEX "^```sh test")
    if(blocks)
      cmake_path(GET page STEM LAST_ONLY stem)
      string(TOLOWER "docs.${stem}" name)
      add_test(NAME ${name} COMMAND "${ZONESYNC_PYTHON}" "${CMAKE_SOURCE_DIR}/tools/run_readme.py"
        --bin "${CMAKE_BINARY_DIR}/bin" "${page}")
      set_tests_properties(${name} PROPERTIES LABELS docs TIMEOUT 300 RUN_SERIAL ON)
    endif()
  endif()
endforeach()
