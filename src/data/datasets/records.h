#pragma once
// The records of a data set, however its files hold them.
#include <cstdint>
#include <functional>
#include <string>

#include "core/json.h"

namespace agro {

/// Where a record stands.
struct RecordPlace {
  int64_t number = 0;  // of a JSONL file its line, else the record; from 1, in a folder counted on over its files
  std::string name;    // "line-3", "record-3", "algebra/12"
  std::string where;   // "on line 3", "in record 3", "in algebra/12"
  Path file = {};      // that holds this record alone; else empty
};

/// Calls `visit` for every record of
///   a JSONL file                       one object on each line
///   a JSON file                        a list of objects, or one object
///   a folder                           all *.json and *.jsonl files in it and in its folders, in the order of their
///                                      paths
/// until it returns false. Throws Error with the place for what is not such a file, and for every Error that `visit`
/// throws; links to folders are not followed.
void for_each_record(const Path& path, const std::function<bool(const Json&, const RecordPlace&)>& visit);

}  // namespace agro
