# agro_library(NAME [TORCH] [SUITES] [DEPS rooms...] [LIBS libraries...])
#
# One library per folder under src/. DEPS names the rooms it may include: the link list is the rule, so an include
# of a higher room does not build. SUITES: tests run suite by suite (none of them may skip). Sources are all *.cpp beside
# the CMakeLists.txt; *_test.cpp go to NAME_test.
function(agro_library name)
  cmake_parse_arguments(ARG "TORCH;SUITES" "" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(sources)
    add_library(agro_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(agro_${name} PRIVATE agro_flags)
    # Kernels on raw memory know nothing of LibTorch.
    set(kernels ${sources})
    list(FILTER kernels INCLUDE REGEX "_cpu\\.cpp$")
    set_source_files_properties(${kernels} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -O3)
  else()
    add_library(agro_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  # The rooms' include root is private to the build tree; consumers see it through agro_flags.
  list(TRANSFORM ARG_DEPS PREPEND agro_ OUTPUT_VARIABLE deps)
  target_link_libraries(agro_${name} ${scope} ${deps} ${ARG_LIBS})
  if(ARG_TORCH)
    target_link_libraries(agro_${name} ${scope} agro_torch)
    if(sources)
      agro_use_pch(agro_${name})
    endif()
  endif()
  if(tests AND AGRO_BUILD_TESTS)
    add_executable(agro_${name}_test ${tests})
    target_link_libraries(agro_${name}_test PRIVATE agro_flags agro_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(agro_${name}_test PRIVATE
      AGRO_SOURCE_DIR="${PROJECT_SOURCE_DIR}" AGRO_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
    if(ARG_TORCH)
      agro_use_pch(agro_${name}_test)
    endif()
    if(ARG_SUITES)
      agro_discover_suites(${name})
    else()
      gtest_discover_tests(agro_${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
    endif()
  endif()
endfunction()

# One ctest test for each suite instead of each test: loading LibTorch takes longer than most tests do.
function(agro_discover_suites name)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/agro_${name}_suites.cmake")
  add_custom_command(TARGET agro_${name}_test POST_BUILD
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:agro_${name}_test> -DPREFIX=${name} -DOUTPUT=${output}
      -P ${PROJECT_SOURCE_DIR}/cmake/AgroDiscoverSuites.cmake)
  # Where the program was not built, ctest says so.
  file(WRITE "${output}.in.cmake"
    "if(EXISTS \"${output}\")\n  include(\"${output}\")\nelse()\n  add_test(${name}_NOT_BUILT agro_${name}_test)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${output}.in.cmake")
endfunction()

# Every source that needs LibTorch shares the header compiled once for agro_pch.
function(agro_use_pch target)
  if(NOT AGRO_USE_PCH)
    return()
  endif()
  if(NOT TARGET agro_pch)
    file(WRITE "${PROJECT_BINARY_DIR}/pch/pch.cpp" "// carries the shared precompiled header\n")
    add_library(agro_pch OBJECT "${PROJECT_BINARY_DIR}/pch/pch.cpp")
    # Exactly the flags of its users: GCC refuses a header compiled with others.
    target_link_libraries(agro_pch PRIVATE agro_flags agro_core agro_torch)
    target_precompile_headers(agro_pch PRIVATE <torch/types.h> <torch/csrc/autograd/custom_function.h>
      <vector> <string> <map> <memory> <functional>)
  endif()
  target_precompile_headers(${target} REUSE_FROM agro_pch)
endfunction()
