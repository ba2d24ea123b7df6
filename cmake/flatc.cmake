# FlatBuffers schemas as CMake targets.
#
# zonesync_flatbuffers(name a.fbs b.fbs ...): an interface library whose users see the generated
# headers as "<folder of this CMakeLists.txt>/a_generated.h", e.g. "protocol/schema/a_generated.h".
# A schema may include another one of the same call by its file name. The object API is never
# generated: the wire module is the only reader of peer bytes and reads them through accessors.
find_program(ZONESYNC_FLATC flatc REQUIRED)

function(zonesync_flatbuffers name)
  set(schemas ${ARGN})
  list(TRANSFORM schemas PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  set(headers)
  foreach(schema IN LISTS schemas)
    cmake_path(GET schema STEM stem)
    set(header "${CMAKE_CURRENT_BINARY_DIR}/${stem}_generated.h")
    add_custom_command(
      OUTPUT "${header}"
      COMMAND "${ZONESYNC_FLATC}" --cpp --cpp-std c++17 --scoped-enums --require-explicit-ids
              --warnings-as-errors -I "${CMAKE_CURRENT_SOURCE_DIR}"
              -o "${CMAKE_CURRENT_BINARY_DIR}" "${schema}"
      # All schemas of the call: an included one changes what is generated.
      DEPENDS ${schemas}
      COMMENT "flatc ${stem}.fbs"
      VERBATIM)
    list(APPEND headers "${header}")
  endforeach()
  add_custom_target(${name}_headers DEPENDS ${headers})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_headers)
  target_link_libraries(${name} INTERFACE zonesync_options flatbuffers::flatbuffers)
endfunction()
