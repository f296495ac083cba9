# chandler_module(NAME SOURCES … DEPS … [PRIVATE_DEPS …] [TESTS …] [TEST_DEPS …] [TEST_DATA])
#
# One folder is one static library `chandler_NAME`, and its tests beside it are one program `NAME_test` that ctest
# runs under the label `unit`; the target `unit_tests` builds all of these. DEPS are what the module's headers need,
# PRIVATE_DEPS what only its sources need.
add_custom_target(unit_tests)

function(chandler_module NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS" ${ARGN})
  set(target chandler_${NAME})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${target} INTERFACE ${ARG_DEPS})
  endif()
  if(ARG_TESTS AND BUILD_TESTING)
    add_executable(${NAME}_test ${ARG_TESTS})
    target_compile_definitions(${NAME}_test PRIVATE CHANDLER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${NAME}_test PRIVATE ${target} ${ARG_TEST_DEPS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    set(timeout 600)
    if(CHANDLER_SANITIZE)
      set(timeout 1800)  # everything takes about ten times as long
    endif()
    set_tests_properties(${NAME} PROPERTIES LABELS unit TIMEOUT ${timeout})
    add_dependencies(unit_tests ${NAME}_test)
  endif()
endfunction()
