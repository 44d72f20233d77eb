#pragma once
// Fields of a config struct as command-line options, so that name, range and help are declared once for both.
#include <CLI/App.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace agro {

namespace detail {
void add_config_options(CLI::App& command, const VisitConfig& visit, const std::vector<std::string_view>& only);
}

/// An option for each field of `config` at its top level, or for those in `only`: "top_k" becomes --top-k; a list is
/// given an item at a time, "stop_ids" by --stop-id; what is on by default becomes --no-NAME. `config` must live until
/// the arguments are parsed.
template <class Config>
void add_config_options(CLI::App& command, Config& config, const std::vector<std::string_view>& only = {}) {
  detail::add_config_options(
      command, [&](ConfigVisitor& v) { config.visit(v); }, only);
}

/// --set KEY=VALUE, any number of times.
void add_set_option(CLI::App& command, std::vector<std::string>& overrides, const std::string& help);

}  // namespace agro
