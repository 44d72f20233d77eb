#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

#include "core/config.h"
#include "core/config_document.h"
#include "core/config_text.h"
#include "core/error.h"
#include "core/words.h"

namespace agro {
namespace {

using detail::allowed_text;
using detail::ConfigDocument;
using detail::join_key;
using detail::toml_literal;

std::string describe(const toml::node& node) {
  if (const auto* value = node.as_string()) return fmt::format("the string {}", toml_literal(value->get()));
  if (const auto* value = node.as_integer()) return fmt::format("the integer {}", value->get());
  if (const auto* value = node.as_floating_point()) return fmt::format("the number {}", toml_literal(value->get()));
  if (const auto* value = node.as_boolean()) return fmt::format("the boolean {}", value->get());
  if (node.is_table()) return "a table";
  return node.is_array() ? "a list" : "a date or time";
}

std::optional<size_t> parse_index(std::string_view text) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

class ConfigReader final : public ConfigVisitor {
 public:
  ConfigReader(const ConfigDocument& document, const VisitConfig& visit) : document_(document), visit_(visit) {}

  void read() {
    frames_.push_back({&document_.root, "", {}});
    visit_(*this);
    leave();
  }

  void field(std::string_view name, bool& value, std::string_view) override {
    if (const toml::node* node = find(name)) value = exact<bool>(*node, key(name), "true or false");
  }

  void field(std::string_view name, int64_t& value, Range range, std::string_view) override {
    if (const toml::node* node = find(name)) {
      const auto found = exact<int64_t>(*node, key(name), "an integer");
      check_range(*node, name, static_cast<double>(found), range);
      value = found;
    }
  }

  void field(std::string_view name, double& value, Range range, std::string_view) override {
    if (const toml::node* node = find(name)) {
      const auto* integer = node->as_integer();
      const double found =
          integer != nullptr ? static_cast<double>(integer->get()) : exact<double>(*node, key(name), "a number");
      check_range(*node, name, found, range);
      value = found;
    }
  }

  void field(std::string_view name, std::string& value, const Choices& choices, std::string_view) override {
    if (const toml::node* node = find(name)) {
      const std::string found =
          document_.raw && !node->is_string() ? *document_.raw : exact<std::string>(*node, key(name), "a string");
      if (!choices.empty() && std::find(choices.begin(), choices.end(), found) == choices.end()) {
        Error error = fail("{} must be {}, found {}", key(name), allowed_text(choices), toml_literal(found));
        if (const std::string near = nearest_word(found, choices); !near.empty())
          error.hint(fmt::format("did you mean \"{}\"?", near));
        throw std::move(error).at(document_.place(node->source()));
      }
      value = found;
    }
  }

  void field(std::string_view name, std::vector<std::string>& value, std::string_view) override {
    read_list(name, value, "a list of strings like [\"a\", \"b\"]", "a string");
  }
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view) override {
    read_list(name, value, "a list of integers like [1, 2]", "an integer");
  }

 private:
  struct Frame {
    const toml::table* table;
    std::string path;
    std::set<std::string, std::less<>> known;  // every name that visit() declared here
  };

  std::string key(std::string_view name) const { return join_key(frames_.back().path, name); }

  const toml::node* find(std::string_view name) {
    frames_.back().known.emplace(name);
    return frames_.back().table->get(name);
  }

  Error wrong_type(const toml::node& node, std::string_view full_key, std::string_view expected) const {
    return fail("{} must be {}, found {}", full_key, expected, describe(node)).at(document_.place(node.source()));
  }

  template <class T>
  T exact(const toml::node& node, std::string_view full_key, std::string_view expected) const {
    if (auto value = node.value_exact<T>()) return *std::move(value);
    throw wrong_type(node, full_key, expected);
  }

  template <class T>
  void read_list(std::string_view name, std::vector<T>& value, std::string_view expected, std::string_view element) {
    const toml::node* node = find(name);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) throw wrong_type(*node, key(name), expected);
    value.clear();
    for (const toml::node& item : *array)
      value.push_back(exact<T>(item, fmt::format("{}.{}", key(name), value.size()), element));
  }

  void check_range(const toml::node& node, std::string_view name, double found, Range range) const {
    const std::string allowed = allowed_text(range);
    if (allowed.empty() || (found >= range.min && found <= range.max)) return;  // NaN fails both comparisons
    throw fail("{} must be {}, found {}", key(name), allowed, found).at(document_.place(node.source()));
  }

  bool enter_table(const toml::node* node, std::string path) {
    if (node == nullptr) return false;
    if (!node->is_table()) throw wrong_type(*node, path, "a table");
    frames_.push_back({node->as_table(), std::move(path), {}});
    return true;
  }

  bool enter(std::string_view name, std::string_view) override { return enter_table(find(name), key(name)); }

  bool enter_item(std::string_view name, size_t index) override {
    const toml::node* list = find(name);
    if (list == nullptr) return false;
    const std::string number = fmt::format("{}", index);
    const toml::array* array = list->as_array();
    return enter_table(array != nullptr ? array->get(index) : list->as_table()->get(number),
                       join_key(key(name), number));
  }

  ListChange list_change(std::string_view name, size_t current, std::string_view) override {
    const toml::node* node = find(name);
    if (node == nullptr) return {current, false};
    if (const toml::array* array = node->as_array()) return {array->size(), true};
    if (!document_.is_override || !node->is_table() || node->as_table()->size() != 1)
      throw wrong_type(*node, key(name), fmt::format("a list of tables, each headed [[{}]]", key(name)));
    // `--set rewards.0.weight=2`: a table whose only key is the index.
    const std::string number(node->as_table()->begin()->first.str());
    const std::optional<size_t> index = parse_index(number);
    if (!index || *index > current)
      throw fail("{} is a list of {} items: the index must be from 0 to {}, found {}", key(name), current, current,
                 toml_literal(number))
          .at(document_.name);
    return {std::max(current, *index + 1), false};
  }

  void leave() override {
    for (const auto& [name, node] : *frames_.back().table)
      if (!frames_.back().known.contains(name.str())) throw unknown_key(name, node);
    frames_.pop_back();
  }

  Error unknown_key(const toml::key& unknown, const toml::node& node) const {
    const Frame& frame = frames_.back();
    const std::string name(unknown.str());
    const std::vector<std::string> known(frame.known.begin(), frame.known.end());
    std::string hint = fmt::format("known here: {}", fmt::join(known, ", "));
    if (const std::string near = nearest_word(name, known); !near.empty()) {
      hint = fmt::format("did you mean '{}'?", join_key(frame.path, near));
    } else if (const std::string elsewhere = same_name_elsewhere(name); !elsewhere.empty()) {
      hint = fmt::format("did you mean '{}'?", elsewhere);
    }
    const std::string section = frame.path.empty() ? "at the top level" : fmt::format("in section [{}]", frame.path);
    return fail("unknown {} '{}' {}", node.is_table() ? "section" : "key", name, section)
        .at(document_.place(unknown.source()))
        .hint(hint);
  }

  std::string same_name_elsewhere(std::string_view name) const {
    for (const detail::ConfigSection& section : detail::list_sections(visit_))
      for (const detail::ConfigKey& known : section.keys)
        if (known.name == name) return join_key(section.path, name);
    return {};
  }

  const ConfigDocument& document_;
  const VisitConfig& visit_;
  std::vector<Frame> frames_;
};

}  // namespace

void detail::load_config(const VisitConfig& visit, const std::string& toml_text, const std::string& source,
                         const std::vector<std::string>& overrides) {
  ConfigReader(parse_config_file(toml_text, source), visit).read();
  for (const std::string& text : overrides) ConfigReader(parse_override(text), visit).read();
}

}  // namespace agro
