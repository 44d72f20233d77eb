#include <fmt/format.h>

#include <vector>

#include "core/config.h"
#include "core/config_text.h"

namespace agro {
namespace {

using detail::join_key;
using detail::toml_literal;

/// A TOML table's own keys must stand before its sub-tables, whatever order visit() names them in: hence two buffers.
class ConfigWriter final : public ConfigVisitor {
 public:
  explicit ConfigWriter(bool with_help) : with_help_(with_help) { frames_.emplace_back(); }

  std::string text() const { return frames_.front().keys + frames_.front().tables; }

  void field(std::string_view name, bool& value, std::string_view help) override { write(name, value, help); }
  void field(std::string_view name, int64_t& value, Range, std::string_view help) override { write(name, value, help); }
  void field(std::string_view name, double& value, Range, std::string_view help) override { write(name, value, help); }
  void field(std::string_view name, std::string& value, const Choices&, std::string_view help) override {
    write(name, value, help);
  }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view help) override {
    write(name, value, help);
  }
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view help) override {
    write(name, value, help);
  }

 private:
  struct Frame {
    std::string path, header, keys, tables;
    bool is_item = false;
  };

  template <class T>
  void write(std::string_view name, const T& value, std::string_view help) {
    std::string& keys = frames_.back().keys;
    if (with_help_) keys += fmt::format("# {}\n", help);
    keys += fmt::format("{} = {}\n", name, toml_literal(value));
  }

  bool enter(std::string_view name, std::string_view help) override {
    const std::string path = join_key(frames_.back().path, name);
    const std::string comment = with_help_ ? fmt::format("# {}\n", help) : std::string();
    frames_.push_back({path, fmt::format("\n{}[{}]\n", comment, path), {}, {}, false});
    return true;
  }

  bool enter_item(std::string_view name, size_t) override {
    const std::string path = join_key(frames_.back().path, name);
    frames_.push_back({path, fmt::format("\n[[{}]]\n", path), {}, {}, true});
    return true;
  }

  ListChange list_change(std::string_view name, size_t current, std::string_view help) override {
    if (current == 0) write(name, std::vector<std::string>{}, help);
    return {current, false};
  }

  void leave() override {
    const Frame done = std::move(frames_.back());
    frames_.pop_back();
    if (done.is_item || !done.keys.empty()) frames_.back().tables += done.header + done.keys;
    frames_.back().tables += done.tables;
  }

  bool with_help_;
  std::vector<Frame> frames_;
};

}  // namespace

std::string detail::dump_config(const VisitConfig& visit, bool with_help) {
  ConfigWriter writer(with_help);
  visit(writer);
  return writer.text();
}

}  // namespace agro
