#pragma once
// JSON with errors that name the file and the line.
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/file.h"

namespace agro {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// Parses a whole file. Throws Error with the path and the position of a syntax error.
Json read_json(const Path& path);
OrderedJson read_ordered_json(const Path& path);

/// Calls `visit(record, line_number)` for every non-empty line (numbered from 1) of a JSONL file. A line that is not
/// valid JSON, and any Error thrown by `visit`, becomes an Error that names "PATH: line N".
void for_each_jsonl(const Path& path, const std::function<void(const Json&, int64_t)>& visit);

/// One line of JSON text for standard output or a JSONL file: invalid UTF-8 is replaced by U+FFFD, never thrown on.
std::string to_line(const Json& value);
std::string to_line(const OrderedJson& value);

}  // namespace agro
