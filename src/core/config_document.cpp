#include "core/config_document.h"

#include <string_view>
#include <utility>

#include "core/config_text.h"
#include "core/error.h"

namespace agro::detail {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// {"value": ...}
toml::table parse_value(std::string_view text) {
  const bool opens_quote_or_bracket =
      !text.empty() && std::string_view("\"'[{").find(text[0]) != std::string_view::npos;
  try {
    toml::table table = toml::parse(fmt::format("value = {}", text));
    if (table.size() == 1) return table;  // else the text held a line break and more keys
  } catch (const toml::parse_error&) {
    if (opens_quote_or_bracket) throw;
  }
  return toml::parse(fmt::format("value = {}", toml_literal(std::string(text))));
}

}  // namespace

std::string ConfigDocument::place(const toml::source_region& where) const {
  return is_override ? name : fmt::format("{}:{}", name, where.begin.line);
}

ConfigDocument parse_config_file(const std::string& toml_text, const std::string& name) {
  try {
    return {.root = toml::parse(toml_text), .name = name, .is_override = false, .raw = std::nullopt};
  } catch (const toml::parse_error& error) {
    const toml::source_position& begin = error.source().begin;
    throw fail("is not valid TOML: {}", error.description())
        .at(fmt::format("{}:{}:{}", name, begin.line, begin.column));
  }
}

ConfigDocument parse_override(const std::string& text) {
  constexpr size_t kMaxDepth = 16;
  ConfigDocument document{.root = {}, .name = "--set " + text, .is_override = true, .raw = std::nullopt};
  const size_t equals = text.find('=');
  if (equals == std::string::npos) throw fail("has no '='").at(document.name).hint("write --set section.key=value");
  const std::string_view key = trimmed(std::string_view(text).substr(0, equals));
  const std::string_view value = trimmed(std::string_view(text).substr(equals + 1));
  try {
    document.root = parse_value(value);
  } catch (const toml::parse_error& error) {
    throw fail("the value is not valid TOML: {}", error.description())
        .at(document.name)
        .hint("strings inside lists and tables need quotes: --set 'list=[\"a\", \"b\"]'");
  }
  if (document.root.get("value")->is_value()) document.raw = value;

  // Wraps the value in one table per part of the key, from the last part to the first.
  toml::node* content = document.root.get("value");
  size_t end = key.size();
  for (size_t depth = 0;; ++depth) {
    const size_t dot = key.substr(0, end).rfind('.');
    const size_t begin = dot == std::string_view::npos ? 0 : dot + 1;
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty() || depth == kMaxDepth)
      throw fail("'{}' is not a key", key).at(document.name).hint("write --set section.key=value");
    toml::table outer;
    if (depth == 0) {
      outer.insert(part, std::move(*content));
    } else {
      outer.insert(part, std::move(document.root));
    }
    document.root = std::move(outer);
    if (dot == std::string_view::npos) return document;
    end = dot;
  }
}

}  // namespace agro::detail
