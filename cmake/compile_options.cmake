set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CHANDLER_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
option(CHANDLER_FUZZ "Build the fuzz targets of tests/fuzz (needs clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

# A binary of one input: floating point follows the source, never the optimiser's wish to fuse or reorder.
add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -ffp-contract=off -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library and Boost at -O2; they are not ours to mend.
  add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-restrict)
else()
  # Clang reports these inside GCC 12's standard library and librdkafka's macros, and fields that keep their defaults.
  add_compile_options(-Wno-deprecated-declarations -Wno-gnu-statement-expression-from-macro-expansion
                      -Wno-missing-designated-field-initializers)
endif()
if(CHANDLER_SANITIZE)
  add_compile_options(-fsanitize=${CHANDLER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1 -O1)
  add_link_options(-fsanitize=${CHANDLER_SANITIZE})
endif()
if(CHANDLER_FUZZ)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)  # an index out of bounds is a find, also where it stays inside a buffer
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
