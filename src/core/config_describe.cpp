#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/config.h"
#include "core/config_text.h"

namespace agro {
namespace {

using detail::allowed_text;
using detail::ConfigSection;
using detail::join_key;
using detail::toml_literal;

class KeyLister final : public ConfigVisitor {
 public:
  KeyLister() { open("", "", ""); }

  std::vector<ConfigSection> take() { return std::move(sections_); }

  void field(std::string_view name, bool& value, std::string_view help) override {
    add(name, "boolean", toml_literal(value), "", help);
  }
  void field(std::string_view name, int64_t& value, Range range, std::string_view help) override {
    add(name, "integer", toml_literal(value), allowed_text(range), help);
  }
  void field(std::string_view name, double& value, Range range, std::string_view help) override {
    add(name, "number", toml_literal(value), allowed_text(range), help);
  }
  void field(std::string_view name, std::string& value, const Choices& choices, std::string_view help) override {
    add(name, "string", toml_literal(value), allowed_text(choices), help);
  }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view help) override {
    add(name, "list of strings", toml_literal(value), "", help);
  }
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view help) override {
    add(name, "list of integers", toml_literal(value), "", help);
  }

 private:
  struct Frame {
    size_t section;          // index into sections_
    std::string table_path;  // without list indices
  };

  void open(std::string path, std::string heading, std::string_view help) {
    frames_.push_back({sections_.size(), {}});
    sections_.push_back({std::move(path), std::move(heading), std::string(help), {}});
  }

  void add(std::string_view name, std::string type, std::string value, std::string allowed, std::string_view help) {
    sections_[frames_.back().section].keys.push_back(
        {std::string(name), std::move(type), std::move(value), std::move(allowed), std::string(help)});
  }

  const std::string& path() const { return sections_[frames_.back().section].path; }

  bool enter(std::string_view name, std::string_view help) override {
    const std::string table_path = join_key(frames_.back().table_path, name);
    open(join_key(path(), name), fmt::format("[{}]", table_path), help);
    frames_.back().table_path = table_path;
    return true;
  }

  bool enter_item(std::string_view name, size_t index) override {
    if (index > 0) return false;  // every item has the same keys
    const std::string table_path = join_key(frames_.back().table_path, name);
    open(join_key(path(), fmt::format("{}.0", name)), fmt::format("[[{}]]", table_path), list_help_);
    frames_.back().table_path = table_path;
    return true;
  }

  ListChange list_change(std::string_view, size_t current, std::string_view help) override {
    list_help_ = help;
    return {std::max<size_t>(current, 1), false};
  }

  void leave() override { frames_.pop_back(); }

  std::vector<Frame> frames_;
  std::vector<ConfigSection> sections_;
  std::string list_help_;
};

std::string cell(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, 1, '\\');
  return text;
}

}  // namespace

std::vector<ConfigSection> detail::list_sections(const VisitConfig& visit) {
  KeyLister lister;
  visit(lister);
  return lister.take();
}

std::string detail::describe_config(const VisitConfig& visit) {
  std::string text;
  for (const ConfigSection& section : list_sections(visit)) {
    if (section.keys.empty()) continue;
    if (!text.empty()) text += '\n';
    if (!section.heading.empty()) text += fmt::format("### `{}`\n\n{}\n\n", section.heading, section.help);
    text += "| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
    for (const ConfigKey& key : section.keys)
      text += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", key.name, key.type, cell(key.default_text),
                          cell(key.allowed), cell(key.help));
  }
  return text;
}

}  // namespace agro
