#include "data/datasets/records.h"

#include <algorithm>
#include <vector>

#include "core/error.h"

namespace agro {
namespace {

namespace fs = std::filesystem;
using Visit = std::function<bool(const Json&, const RecordPlace&)>;

/// "[…" is a list. "{" begins one object where it goes over several lines or nothing follows its line, else JSON lines.
bool is_json_document(const Path& path) {
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  if (text[begin] == '[') return true;
  if (path.extension() != ".json") return false;
  const size_t end = std::min(text.find('\n', begin), text.size());
  const bool alone = text.find_first_not_of(" \t\r\n", end) == std::string_view::npos;
  return alone || !Json::accept(text.substr(begin, end - begin));
}

class Reader {
 public:
  explicit Reader(const Visit& visit) : visit_(visit) {}

  /// `prefix` stands before the names of records: of a folder's files, their path in it.
  void file(const Path& path, const std::string& prefix) {
    if (is_json_document(path))
      document(path, prefix);
    else
      for_each_jsonl(path, [&](const Json& record, int64_t line) {
        if (done_) return;
        // Error gets path and line from for_each_jsonl.
        const int64_t number = prefix.empty() ? line : ++count_;
        const std::string in_file = prefix.empty() ? "" : " of " + prefix;
        done_ = !visit_(record, {number, fmt::format("{}line-{}", with_colon(prefix), line),
                                 fmt::format("on line {}{}", line, in_file)});
      });
  }

  void folder(const Path& path) {
    std::vector<Path> files;
    try {
      for (const auto& entry : fs::recursive_directory_iterator(path))
        if (const Path ending = entry.path().extension();
            entry.is_regular_file() && (ending == ".json" || ending == ".jsonl"))
          files.push_back(entry.path());
    } catch (const fs::filesystem_error& error) {
      throw fail("cannot read: {}", error.code().message()).at(path.string());
    }
    if (files.empty()) throw fail("holds no *.json or *.jsonl file").at(path.string());
    std::sort(files.begin(), files.end());
    for (const Path& each : files) {
      if (done_) return;
      file(each, each.lexically_relative(path).replace_extension().generic_string());
    }
  }

 private:
  static std::string with_colon(const std::string& prefix) { return prefix.empty() ? "" : prefix + ':'; }

  void document(const Path& path, const std::string& prefix) {
    const Json content = read_json(path);
    if (!content.is_array()) {
      const std::string name = prefix.empty() ? "record-1" : prefix;
      give(content, path.string(), {++count_, name, "in " + name, path});
      return;
    }
    for (size_t i = 0; i < content.size() && !done_; ++i) {
      const std::string in_file = prefix.empty() ? "" : " of " + prefix;
      give(content[i], fmt::format("{}: record {}", path.string(), i + 1),
           {++count_, fmt::format("{}record-{}", with_colon(prefix), i + 1),
            fmt::format("in record {}{}", i + 1, in_file)});
    }
  }

  void give(const Json& record, const std::string& where, const RecordPlace& place) {
    try {
      done_ = !visit_(record, place);
    } catch (const Json::exception& error) {
      throw fail("has unexpected content: {}", error.what()).at(where);
    } catch (Error& error) {
      throw std::move(error).at(where);
    }
  }

  const Visit& visit_;
  int64_t count_ = 0;
  bool done_ = false;
};

}  // namespace

void for_each_record(const Path& path, const Visit& visit) {
  Reader reader(visit);
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    reader.folder(path);
  else
    reader.file(path, "");
}

}  // namespace agro
