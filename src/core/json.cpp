#include "core/json.h"

#include "core/error.h"

namespace agro {
namespace {

template <class J>
J parse_file(const Path& path) {
  const std::string text = read_file(path);
  try {
    return J::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw fail("is not valid JSON: {}", error.what()).at(path.string());
  }
}

}  // namespace

Json read_json(const Path& path) { return parse_file<Json>(path); }
OrderedJson read_ordered_json(const Path& path) { return parse_file<OrderedJson>(path); }

void for_each_jsonl(const Path& path, const std::function<void(const Json&, int64_t)>& visit) {
  MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  int64_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view record = text.substr(begin, end - begin);
    begin = end + 1;
    ++line;
    if (record.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto place = [&] { return fmt::format("{}: line {}", path.string(), line); };
    Json value;
    try {
      value = Json::parse(record);
    } catch (const Json::exception& error) {
      throw fail("is not valid JSON: {}", error.what())
          .at(place())
          .hint("every line must hold one complete JSON object; NaN and Infinity are not JSON");
    }
    try {
      visit(value, line);
    } catch (const Json::exception& error) {
      throw fail("has unexpected content: {}", error.what()).at(place());
    } catch (Error& error) {
      throw std::move(error).at(place());
    }
  }
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }
std::string to_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace agro
