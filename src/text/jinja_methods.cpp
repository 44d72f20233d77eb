// Methods of strings and dicts.
#include <algorithm>
#include <unordered_map>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

using StringMethod = Value (*)(const std::string& self, const Arguments& arguments, Meter& meter);
using DictMethod = Value (*)(const Dict& self, const Arguments& arguments, Meter& meter);

template <Side side>
Value stripped(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [characters] = arguments.take("strip", {"chars"});
  return strip(self, side, optional_string_argument(characters, "chars"));
}

template <std::string (*convert)(std::string_view)>
Value converted(const std::string& self, const Arguments& arguments, Meter&) {
  arguments.take_none("this method");
  return convert(self);
}

Value list_of(std::vector<std::string> parts) {
  return Value::list({std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end())});
}

template <auto cut>
Value split_method(const std::string& self, const Arguments& arguments, Meter& meter) {
  const auto [separator, limit] = arguments.take("split", {"sep", "maxsplit"});
  return list_of(cut(self, optional_string_argument(separator, "sep"), integer_argument(limit, "maxsplit", -1), meter));
}

Value splitlines(const std::string& self, const Arguments& arguments, Meter& meter) {
  arguments.take_none("splitlines");
  return list_of(split_lines(self, meter));
}

// `affix` is one string or a tuple of alternatives.
template <class Matches>
bool any_affix(const Value& affix, Matches&& matches) {
  if (!affix.list()) return matches(string_argument(affix, "affix"));
  return std::ranges::any_of(affix.list()->items,
                             [&](const Value& one) { return matches(string_argument(one, "affix")); });
}

Value startswith(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [prefix] = arguments.take("startswith", {"prefix"});
  return any_affix(prefix, [&](const std::string& text) { return self.starts_with(text); });
}

Value endswith(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [suffix] = arguments.take("endswith", {"suffix"});
  return any_affix(suffix, [&](const std::string& text) { return self.ends_with(text); });
}

Value removeprefix(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [prefix] = arguments.take("removeprefix", {"prefix"});
  const auto& text = string_argument(prefix, "prefix");
  return self.starts_with(text) ? self.substr(text.size()) : self;
}

Value removesuffix(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [suffix] = arguments.take("removesuffix", {"suffix"});
  const auto& text = string_argument(suffix, "suffix");
  return self.ends_with(text) ? self.substr(0, self.size() - text.size()) : self;
}

Value replace_method(const std::string& self, const Arguments& arguments, Meter& meter) {
  const auto [from, to, limit] = arguments.take("replace", {"old", "new", "count"});
  return replace(self, string_argument(from, "old"), string_argument(to, "new"), integer_argument(limit, "count", -1),
                 meter);
}

Value position(const std::string& self, size_t offset) {
  if (offset == std::string::npos) return -1;
  return count_code_points(std::string_view(self).substr(0, offset));
}

Value find(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [part] = arguments.take("find", {"sub"});
  return position(self, self.find(string_argument(part, "sub")));
}

Value rfind(const std::string& self, const Arguments& arguments, Meter&) {
  const auto [part] = arguments.take("rfind", {"sub"});
  return position(self, self.rfind(string_argument(part, "sub")));
}

Value count(const std::string& self, const Arguments& arguments, Meter& meter) {
  const auto [part] = arguments.take("count", {"sub"});
  return split(self, string_argument(part, "sub"), -1, meter).size() - 1;
}

Value join(const std::string& self, const Arguments& arguments, Meter& meter) {
  const auto [parts] = arguments.take("join", {"iterable"});
  std::string result;
  std::string_view separator;
  const auto list = iterate(parts, meter);
  for (const Value& part : list->items) {
    const auto& text = string_argument(part, "iterable");
    meter.spend(separator.size() + text.size() + 1);
    result.append(separator).append(text);
    separator = self;
  }
  return result;
}

Value isdigit(const std::string& self, const Arguments& arguments, Meter&) {
  arguments.take_none("isdigit");
  return !self.empty() && std::ranges::all_of(self, [](char c) { return c >= '0' && c <= '9'; });
}

Value items(const Dict& self, const Arguments& arguments, Meter& meter) {
  arguments.take_none("items");
  std::vector<Value> pairs;
  for (const auto& [key, value] : self.entries()) {
    meter.spend(key.size() + 4 * Meter::kStep);
    pairs.push_back(Value::list({key, value}));
  }
  return Value::list(std::move(pairs));
}

Value keys(const Dict& self, const Arguments& arguments, Meter& meter) {
  arguments.take_none("keys");
  std::vector<Value> result;
  for (const auto& [key, value] : self.entries()) {
    meter.spend(key.size() + Meter::kStep);
    result.emplace_back(key);
  }
  return Value::list(std::move(result));
}

Value values(const Dict& self, const Arguments& arguments, Meter& meter) {
  arguments.take_none("values");
  meter.spend(self.entries().size(), Meter::kStep);
  std::vector<Value> result;
  for (const auto& entry : self.entries()) result.push_back(entry.second);
  return Value::list(std::move(result));
}

Value get(const Dict& self, const Arguments& arguments, Meter&) {
  const auto [key, fallback] = arguments.take("get", {"key", "default"});
  if (const Value* found = key.string() ? self.find(*key.string()) : nullptr) return *found;
  return fallback.undefined() ? None{} : fallback;
}

StringMethod string_method(std::string_view name) {
  static const std::unordered_map<std::string_view, StringMethod> methods{
      {"strip", stripped<Side::both>},
      {"lstrip", stripped<Side::left>},
      {"rstrip", stripped<Side::right>},
      {"upper", converted<upper>},
      {"lower", converted<lower>},
      {"title", converted<title>},
      {"capitalize", converted<capitalize>},
      {"split", split_method<split>},
      {"rsplit", split_method<split_from_right>},
      {"splitlines", splitlines},
      {"startswith", startswith},
      {"endswith", endswith},
      {"removeprefix", removeprefix},
      {"removesuffix", removesuffix},
      {"replace", replace_method},
      {"find", find},
      {"rfind", rfind},
      {"count", count},
      {"join", join},
      {"isdigit", isdigit},
  };
  const auto found = methods.find(name);
  return found == methods.end() ? nullptr : found->second;
}

DictMethod dict_method(std::string_view name) {
  static const std::unordered_map<std::string_view, DictMethod> methods{
      {"items", items}, {"keys", keys}, {"values", values}, {"get", get}};
  const auto found = methods.find(name);
  return found == methods.end() ? nullptr : found->second;
}

}  // namespace

std::optional<Value> bound_method(const Value& object, std::string_view name) {
  if (const auto method = object.string() ? string_method(name) : nullptr) {
    return Function{std::string(name), [object, method](const Arguments& arguments, Meter& meter) {
                      meter.spend(object.string()->size());
                      return method(*object.string(), arguments, meter);
                    }};
  }
  if (const auto method = object.dict() ? dict_method(name) : nullptr) {
    return Function{
        std::string(name),
        [object, method](const Arguments& arguments, Meter& meter) { return method(*object.dict(), arguments, meter); },
        object.depth()};
  }
  return std::nullopt;
}

}  // namespace agro::detail::jinja
