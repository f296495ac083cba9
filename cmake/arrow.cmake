# Arrow and Parquet: the system's, or else the libraries of the pinned pyarrow wheel that scripts/setup unpacked.
# Both end as the one target `arrow_parquet`.
add_library(arrow_parquet INTERFACE)
find_package(Arrow QUIET)
find_package(Parquet QUIET)
if(Arrow_FOUND AND Parquet_FOUND)
  target_link_libraries(arrow_parquet INTERFACE Arrow::arrow_shared Parquet::parquet_shared)
else()
  file(GLOB wheels ${CMAKE_SOURCE_DIR}/.deps/arrow/pyarrow)
  if(NOT wheels)
    message(FATAL_ERROR "Arrow was not found. Run `make setup`, which fetches it.")
  endif()
  set(CHANDLER_ARROW_DIR ${CMAKE_SOURCE_DIR}/.deps/arrow/pyarrow CACHE INTERNAL "")
  file(GLOB arrow_so ${CHANDLER_ARROW_DIR}/libarrow.so.*)
  file(GLOB parquet_so ${CHANDLER_ARROW_DIR}/libparquet.so.*)
  # The wheel's libparquet exports the symbols of the simdjson that it was built with, which is not the system's version.
  # The dynamic linker takes each symbol from the library that is named first, so that has to be the system's.
  get_target_property(simdjson_so simdjson::simdjson LOCATION)
  add_link_options("SHELL:-Wl,--push-state,--no-as-needed ${simdjson_so} -Wl,--pop-state")
  # -isystem: their warnings are not ours.
  target_include_directories(arrow_parquet SYSTEM INTERFACE ${CHANDLER_ARROW_DIR}/include)
  target_link_libraries(arrow_parquet INTERFACE ${parquet_so} ${arrow_so})
  set(CMAKE_BUILD_RPATH ${CHANDLER_ARROW_DIR} CACHE INTERNAL "")
endif()
