#include "cli/config_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/config_text.h"
#include "core/words.h"

namespace agro {
namespace {

std::string dashed(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string singular(std::string name) {
  if (name.ends_with('s')) name.pop_back();
  return name;
}

/// What is no number at all is left to the conversion, which says so.
std::string complaint(Range range, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || (value >= range.min && value <= range.max)) return {};
  return fmt::format("must be {}, found {}", detail::allowed_text(range), text);
}

class OptionVisitor final : public ConfigVisitor {
 public:
  OptionVisitor(CLI::App& command, const std::vector<std::string_view>& only) : command_(command), only_(only) {}

  void field(std::string_view name, bool& value, std::string_view help) override {
    if (!wanted(name)) return;
    if (value) {
      command_.add_flag_callback(
          "--no-" + dashed(name), [&value] { value = false; }, "Turn off: " + std::string(help));
    } else {
      command_.add_flag("--" + dashed(name), value, std::string(help));
    }
  }
  void field(std::string_view name, int64_t& value, Range range, std::string_view help) override {
    number(name, value, range, help);
  }
  void field(std::string_view name, double& value, Range range, std::string_view help) override {
    number(name, value, range, help);
  }
  void field(std::string_view name, std::string& value, const Choices& choices, std::string_view help) override {
    if (!wanted(name)) return;
    CLI::Option* option = command_.add_option("--" + dashed(name), value, std::string(help));
    if (!value.empty()) option->capture_default_str();
    if (!choices.empty()) option->check(CLI::IsMember(choices));
  }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view help) override {
    list_of(name, value, help);
  }
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view help) override {
    list_of(name, value, help);
  }

 private:
  bool wanted(std::string_view name) const {
    return only_.empty() || std::find(only_.begin(), only_.end(), name) != only_.end();
  }

  template <class Number>
  void number(std::string_view name, Number& value, Range range, std::string_view help) {
    if (!wanted(name)) return;
    command_.add_option("--" + dashed(name), value, std::string(help))
        ->capture_default_str()
        ->check([range](const std::string& text) { return complaint(range, text); }, detail::allowed_text(range));
  }

  template <class Item>
  void list_of(std::string_view name, std::vector<Item>& value, std::string_view help) {
    if (!wanted(name)) return;
    command_.add_option("--" + singular(dashed(name)), value, std::string(help) + " May be given several times.")
        ->allow_extra_args(false);
  }

  // Sections and lists of tables are what --set is for.
  bool enter(std::string_view, std::string_view) override { return false; }
  bool enter_item(std::string_view, size_t) override { return false; }
  ListChange list_change(std::string_view, size_t current, std::string_view) override { return {current, false}; }
  void leave() override {}

  CLI::App& command_;
  const std::vector<std::string_view>& only_;
};

}  // namespace

void detail::add_config_options(CLI::App& command, const VisitConfig& visit,
                                const std::vector<std::string_view>& only) {
  OptionVisitor visitor(command, only);
  visit(visitor);
}

void add_set_option(CLI::App& command, std::vector<std::string>& overrides, const std::string& help) {
  command.add_option("--set", overrides, help + " May be given several times.")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace agro
