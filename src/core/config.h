#pragma once
// Configuration: TOML files and plain structs, joined by one visitor.
//
// A config struct declares each field once, in visit(): name, storage, allowed range, help. The same declaration then
// gives defaults, parsing, `--set a.b=c`, range errors, the written-out resolved config and the reference document.
//
//   struct OptimizerConfig {
//     double learning_rate = 1e-5;
//     void visit(ConfigVisitor& v) { v.field("learning_rate", learning_rate, {.min = 0, .max = 10}, "Peak step size of
//     AdamW."); }
//   };
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.h"

namespace agro {

/// Allowed values of a number, both ends included. A range with at least one finite end also refuses NaN.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

/// Allowed values of a word; empty allows everything.
using Choices = std::vector<std::string>;

class ConfigVisitor {
 public:
  virtual ~ConfigVisitor() = default;
  virtual void field(std::string_view name, bool& value, std::string_view help) = 0;
  virtual void field(std::string_view name, int64_t& value, Range range, std::string_view help) = 0;
  virtual void field(std::string_view name, double& value, Range range, std::string_view help) = 0;
  virtual void field(std::string_view name, std::string& value, const Choices& choices, std::string_view help) = 0;
  virtual void field(std::string_view name, std::vector<std::string>& value, std::string_view help) = 0;
  virtual void field(std::string_view name, std::vector<int64_t>& value, std::string_view help) = 0;
  void field(std::string_view name, std::string& value, std::string_view help) { field(name, value, Choices{}, help); }

  template <class Section>
  void section(std::string_view name, Section& section, std::string_view help) {
    if (enter(name, help)) {
      section.visit(*this);
      leave();
    }
  }

  /// An array of tables, `[[name]]`.
  template <class Item>
  void list(std::string_view name, std::vector<Item>& items, std::string_view help) {
    const ListChange change = list_change(name, items.size(), help);
    if (change.replace) items.clear();
    items.resize(change.count);
    for (size_t i = 0; i < items.size(); ++i) {
      if (enter_item(name, i)) {
        items[i].visit(*this);
        leave();
      }
    }
  }

 protected:
  /// `count` items from now on; `replace`: all of them start from defaults instead of the items that were there.
  struct ListChange {
    size_t count;
    bool replace;
  };

  /// False skips the section or item.
  virtual bool enter(std::string_view name, std::string_view help) = 0;
  virtual bool enter_item(std::string_view name, size_t index) = 0;
  virtual ListChange list_change(std::string_view name, size_t current, std::string_view help) = 0;
  virtual void leave() = 0;
};

using VisitConfig = std::function<void(ConfigVisitor&)>;

namespace detail {
void load_config(const VisitConfig& visit, const std::string& toml_text, const std::string& source,
                 const std::vector<std::string>& overrides);
std::string dump_config(const VisitConfig& visit, bool with_help);
std::string describe_config(const VisitConfig& visit);
}  // namespace detail

/// Reads a TOML file (empty path: defaults only) into `config`, then applies overrides "section.key=value" in order
/// (value in TOML syntax; anything that is not TOML counts as a string; "rewards.0.weight=2" reaches into a list, the
/// index one past the end appends, "rewards=[{...}]" replaces). Keys that are not mentioned keep their values, except
/// that a list given as a whole replaces the default items.
/// Throws Error with file and line (or the `--set` text) for a syntax error, an unknown key (names the nearest known
/// one), a wrong type, or a value out of range (says the range); `config` is then unchanged.
template <class Config>
void load_config(Config& config, const Path& path, const std::vector<std::string>& overrides = {}) {
  Config next = config;
  detail::load_config([&](ConfigVisitor& v) { next.visit(v); }, path.empty() ? std::string() : read_file(path),
                      path.string(), overrides);
  config = std::move(next);
}

/// The whole config as TOML text that load_config reads back to equal values (floating-point numbers to the last bit);
/// `with_help` adds each key's help as comment.
template <class Config>
std::string dump_config(Config config, bool with_help = false) {
  return detail::dump_config([&](ConfigVisitor& v) { config.visit(v); }, with_help);
}

/// Markdown: one table per section with the columns key, type, default, allowed, meaning. A list without default items
/// shows the keys of one.
template <class Config>
std::string describe_config(Config config) {
  return detail::describe_config([&](ConfigVisitor& v) { config.visit(v); });
}

}  // namespace agro
