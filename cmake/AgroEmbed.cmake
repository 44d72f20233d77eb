# agro_embed(TARGET HEADER NAME=FILE...)
#
# Puts files into the program's read-only data. The source written for them defines the function that HEADER declares,
# agro::embedded_file, which finds a file's bytes by its NAME. The assembler copies the bytes: this costs no compile time.
function(agro_embed target header)
  set(assembly "")
  set(symbols "")
  set(entries "")
  set(files "")
  set(index 0)
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${pair}")
    set(name "${CMAKE_MATCH_1}")
    set(file "${CMAKE_MATCH_2}")
    set(symbol "agro_embedded_${index}")
    string(APPEND assembly "    \"${symbol}: .incbin \\\"${file}\\\"\\n${symbol}_end: .byte 0\\n\"\n")
    string(APPEND symbols "extern const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND entries "    {\"${name}\", ${symbol}, ${symbol}_end},\n")
    list(APPEND files "${file}")
    math(EXPR index "${index} + 1")
  endforeach()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp")
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
// Written by cmake/AgroEmbed.cmake.
#include "@header@"

asm(".pushsection .rodata\n"
@assembly@    ".popsection\n");

extern "C" {
@symbols@}

std::string_view agro::embedded_file(std::string_view name) {
  struct File {
    std::string_view name;
    const char *begin, *end;
  };
  static const File files[] = {
@entries@  };
  for (const File& file : files)
    if (file.name == name) return {file.begin, static_cast<size_t>(file.end - file.begin)};
  return {};
}
]])
  # Neither the build runner nor ccache sees what the assembler reads.
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE "${source}")
endfunction()
