#include "report/metrics_writer.h"

#include "core/error.h"

namespace agro {
namespace {

int64_t step_of(std::string_view line) {
  try {
    return Json::parse(line).at("step").get<int64_t>();
  } catch (const nlohmann::json::exception&) {
    throw fail("is not a record with a 'step'").hint("the file was changed by hand or damaged: move it away to go on");
  }
}

/// The complete lines of `text` whose step is at most `last_step`.
std::string records_up_to(std::string_view text, int64_t last_step, const Path& path) {
  std::string kept;
  int64_t number = 0;
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const std::string_view line = text.substr(begin, end - begin);
    ++number;
    try {
      if (step_of(line) <= last_step) kept.append(line).append("\n");
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("{}: line {}", path.string(), number));
    }
  }
  return kept;
}

}  // namespace

StepLog::StepLog(const Path& path, std::optional<int64_t> resumed_step) : path_(path) {
  const bool keep = resumed_step && std::filesystem::exists(path);
  write_atomically(path, keep ? records_up_to(read_file(path), *resumed_step, path) : std::string());
  out_.open(path, std::ios::binary | std::ios::app);
  if (!out_) throw fail("cannot open for appending").at(path.string());
}

void StepLog::append(int64_t step, const OrderedJson& values) {
  if (!values.is_object()) throw fail("metrics must be an object, found {}", values.type_name()).at(path_.string());
  OrderedJson record;
  record["step"] = step;
  record.update(values);
  out_ << to_line(record) << '\n';
  out_.flush();
  if (!out_) throw fail("cannot write").at(path_.string()).hint("is the disk full?");
}

}  // namespace agro
