#include "report/flat_config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/error.h"

namespace agro {
namespace {

struct Entry {
  toml::source_position place;
  std::string key;
  OrderedJson value;
};

OrderedJson scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  std::ostringstream time;
  if (const auto* value = node.as_date()) time << *value;
  if (const auto* value = node.as_time()) time << *value;
  if (const auto* value = node.as_date_time()) time << *value;
  return time.str();
}

class Flattener {
 public:
  void add(const toml::node& node, const std::string& key, int depth) {
    constexpr int kMaxDepth = 16;
    if (depth > kMaxDepth) throw fail("is nested deeper than {} tables", kMaxDepth);
    const auto below = [&](std::string_view part) {
      return key.empty() ? std::string(part) : fmt::format("{}.{}", key, part);
    };
    if (const toml::table* table = node.as_table()) {
      for (const auto& [name, value] : *table) add(value, below(name.str()), depth + 1);
    } else if (const toml::array* array = node.as_array(); array != nullptr && has_nested(*array)) {
      for (size_t i = 0; i < array->size(); ++i) add(*array->get(i), below(std::to_string(i)), depth + 1);
    } else {
      OrderedJson value = OrderedJson::array();
      if (array == nullptr) value = scalar(node);
      for (size_t i = 0; array != nullptr && i < array->size(); ++i) value.push_back(scalar(*array->get(i)));
      entries_.push_back({node.source().begin, key, std::move(value)});
    }
  }

  OrderedJson result() && {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.place < b.place; });
    OrderedJson flat = OrderedJson::object();
    for (Entry& entry : entries_) flat[entry.key] = std::move(entry.value);
    return flat;
  }

 private:
  static bool has_nested(const toml::array& array) {
    return std::any_of(array.begin(), array.end(), [](const toml::node& node) { return !node.is_value(); });
  }

  std::vector<Entry> entries_;
};

}  // namespace

OrderedJson flat_config(const std::string& toml_text, const std::string& name) {
  try {
    const toml::table root = toml::parse(toml_text);
    Flattener flattener;
    flattener.add(root, "", 0);
    return std::move(flattener).result();
  } catch (const toml::parse_error& error) {
    throw fail("is not valid TOML: {}", error.description()).at(fmt::format("{}:{}", name, error.source().begin.line));
  } catch (Error& error) {
    throw std::move(error).at(name);
  }
}

}  // namespace agro
