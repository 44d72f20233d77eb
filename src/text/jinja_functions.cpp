// Argument binding and the global functions.
#include <algorithm>
#include <ctime>

#include "text/jinja_builtins.h"

namespace agro::detail::jinja {
namespace {

Value range(const Arguments& arguments, Meter& meter) {
  const auto [first, second, stride] = arguments.take("range", {"start", "stop", "step"});
  const bool has_start = !second.undefined();
  const int64_t start = has_start ? integer_argument(first, "start", 0) : 0;
  const int64_t stop = integer_argument(has_start ? second : first, "stop", 0);
  const int64_t step = integer_argument(stride, "step", 1);
  if (step == 0) throw fail("range() needs a step other than zero");
  if (step > 0 ? start >= stop : start <= stop) return Value::list({});

  // Unsigned, because the distance between two integers may not fit in a signed one.
  const auto from = static_cast<uint64_t>(start), to = static_cast<uint64_t>(stop), by = static_cast<uint64_t>(step);
  const uint64_t count = step > 0 ? (to - from - 1) / by + 1 : (from - to - 1) / (0 - by) + 1;
  meter.spend(count, Meter::kStep);
  std::vector<Value> items;
  for (uint64_t i = 0; i < count; ++i) items.emplace_back(static_cast<int64_t>(from + i * by));
  return Value::list(std::move(items));
}

Value dict(const Arguments& arguments, Meter&) {
  if (!arguments.positional.empty()) throw fail("dict() takes named arguments only");
  return Dict(arguments.named);
}

Value raise_exception(const Arguments& arguments, Meter& meter) {
  const auto [message] = arguments.take("raise_exception", {"message"});
  throw Error(to_text(message, meter));
}

Value strftime_now(const Arguments& arguments, Meter&) {
  const auto [format] = arguments.take("strftime_now", {"format"});
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  // The trailing mark tells an empty result from one that did not fit.
  const std::string marked = string_argument(format, "format") + "|";
  std::string text(4096, '\0');
  const size_t size = std::strftime(text.data(), text.size(), marked.c_str(), &local);
  if (size == 0) throw fail("strftime_now() needs a format whose result is shorter than {} bytes", text.size());
  text.resize(size - 1);
  return text;
}

}  // namespace

void Arguments::bind(std::string_view function, std::span<const char* const> parameters,
                     std::span<Value> values) const {
  if (positional.size() > parameters.size()) {
    throw fail("{} takes at most {} arguments, found {}", function, parameters.size(), positional.size());
  }
  std::ranges::copy(positional, values.begin());
  for (const auto& [name, value] : named) {
    const auto place = std::ranges::find(parameters, name);
    if (place == parameters.end()) throw fail("{} has no parameter '{}'", function, name);
    const auto index = static_cast<size_t>(place - parameters.begin());
    if (index < positional.size()) throw fail("{} got its parameter '{}' twice", function, name);
    values[index] = value;
  }
}

Arguments Arguments::after(size_t count) const {
  const auto skipped = static_cast<std::ptrdiff_t>(std::min(count, positional.size()));
  return {{positional.begin() + skipped, positional.end()}, named};
}

std::vector<Dict::Entry> global_functions() {
  return {{"range", Function{"range", range}},
          {"dict", Function{"dict", dict}},
          {"raise_exception", Function{"raise_exception", raise_exception}},
          {"strftime_now", Function{"strftime_now", strftime_now}}};
}

int64_t integer_argument(const Value& value, std::string_view parameter, int64_t fallback) {
  if (value.undefined()) return fallback;
  const auto integer = value.integer();
  if (!integer) throw fail("'{}' must be an integer, not {}", parameter, type_name(value));
  return *integer;
}

const std::string& string_argument(const Value& value, std::string_view parameter) {
  if (!value.string()) throw fail("'{}' must be a string, not {}", parameter, type_name(value));
  return *value.string();
}

std::optional<std::string_view> optional_string_argument(const Value& value, std::string_view parameter) {
  if (value.undefined() || value.is_none()) return std::nullopt;
  return string_argument(value, parameter);
}

}  // namespace agro::detail::jinja
