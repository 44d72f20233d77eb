# Compiler, linker and dependency settings shared by every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(AGRO_CCACHE ccache)
if(AGRO_CCACHE)
  # A compilation tells whether it can write its cache: in containers the home folder may be missing or read-only.
  file(WRITE "${CMAKE_BINARY_DIR}/ccache_probe.cpp" "int probe;\n")
  execute_process(COMMAND ${AGRO_CCACHE} ${CMAKE_CXX_COMPILER} -c ccache_probe.cpp -o ccache_probe.o
    WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" RESULT_VARIABLE ccache_fails OUTPUT_QUIET ERROR_QUIET)
  if(ccache_fails)
    message(STATUS "ccache cannot write its cache: compiling without it")
  else()
    # Time stamps of the precompiled header are irrelevant to its content.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" ${AGRO_CCACHE})
  endif()
endif()
find_program(AGRO_MOLD mold)
if(AGRO_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(agro_flags INTERFACE)
target_compile_options(agro_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  # GCC 12 sees uninitialized, overlapping and overflowing memory inside std::string and std::vector where there is none,
  # depending on what it inlines (its bugs 105562, 105651, 105329).
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess;-Wno-maybe-uninitialized;-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow>)
target_include_directories(agro_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
if(AGRO_SANITIZE)
  # Not recoverable, so that a finding fails the test.
  add_compile_options(-fsanitize=${AGRO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${AGRO_SANITIZE})
endif()

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_library(AGRO_PCRE2 pcre2-8 REQUIRED)
find_library(AGRO_UTF8PROC utf8proc REQUIRED)
find_library(AGRO_HWY hwy REQUIRED)
if(AGRO_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(AGRO_WITH_TORCH)
  find_package(Torch REQUIRED)
  # Debian's package description of oneDNN asks for OpenCL, which nothing here needs.
  find_library(AGRO_DNNL dnnl REQUIRED)
  # Imported here rather than through TORCH_CXX_FLAGS, which would also carry an ABI define to torch-free rooms.
  add_library(agro_torch INTERFACE)
  target_include_directories(agro_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(agro_torch INTERFACE ${TORCH_LIBRARIES})
  separate_arguments(AGRO_TORCH_FLAGS UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(agro_torch INTERFACE ${AGRO_TORCH_FLAGS})
endif()
