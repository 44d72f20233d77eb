#pragma once
// What templates can call: filters (value | trim), tests (value is string), methods ("a,b".split(",")) and functions.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_value.h"

namespace agro::detail::jinja {

/// Evaluated arguments of one call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// The arguments in the order of `parameters`, undefined where not given. Throws Error on one too many, one given
  /// twice and an unknown name.
  template <size_t N>
  std::array<Value, N> take(std::string_view function, const char* const (&parameters)[N]) const {
    std::array<Value, N> values;
    bind(function, parameters, values);
    return values;
  }
  void take_none(std::string_view function) const { bind(function, {}, {}); }

  /// These arguments without the first `count` positional ones.
  Arguments after(size_t count) const;

 private:
  void bind(std::string_view function, std::span<const char* const> parameters, std::span<Value> values) const;
};

using FilterFunction = Value (*)(const Value& input, const Arguments& arguments, Meter& meter);
using TestFunction = bool (*)(const Value& input, const Arguments& arguments, Meter& meter);

/// Null for an unknown name.
FilterFunction find_filter(std::string_view name);
TestFunction find_test(std::string_view name);

/// The string or dict method `name` of `object`; nullopt if its type has no such method.
std::optional<Value> bound_method(const Value& object, std::string_view name);

/// range, dict, raise_exception and strftime_now.
std::vector<Dict::Entry> global_functions();

/// An argument as the type the function needs. Throws Error naming the parameter.
int64_t integer_argument(const Value& value, std::string_view parameter, int64_t fallback);
const std::string& string_argument(const Value& value, std::string_view parameter);
std::optional<std::string_view> optional_string_argument(const Value& value, std::string_view parameter);

}  // namespace agro::detail::jinja
