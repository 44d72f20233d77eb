// Filters: the names after "|".
#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

std::vector<Value> elements(const Value& input, Meter& meter) {
  const auto list = iterate(input, meter);
  meter.spend(list->items.size(), Meter::kStep);
  return list->items;
}

// What map, selectattr, sort and join accept as an attribute: "function.name", "0.content" or a position; `object`
// itself if none is given.
Value attribute_at(const Value& object, const Value& path, Meter& meter) {
  if (path.undefined() || path.is_none()) return object;
  if (path.integer()) return item(object, path, meter);
  Value value = object;
  for (const auto& part : split(string_argument(path, "attribute"), ".", -1, meter)) {
    int64_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index = error == std::errc() && end == part.data() + part.size();
    value = item(value, is_index ? Value(index) : Value(part), meter);
  }
  return value;
}

template <std::string (*convert)(std::string_view)>
Value converted(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("this filter");
  return convert(to_text(input, meter));
}

Value trim(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [characters] = arguments.take("trim", {"chars"});
  return strip(to_text(input, meter), Side::both, optional_string_argument(characters, "chars"));
}

Value to_string(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("string");
  return to_text(input, meter);
}

Value replace_filter(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [from, to, limit] = arguments.take("replace", {"old", "new", "count"});
  const int64_t count = limit.is_none() ? -1 : integer_argument(limit, "count", -1);
  return replace(to_text(input, meter), to_text(from, meter), to_text(to, meter), count, meter);
}

Value escape(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("escape");
  std::string text = to_text(input, meter);
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}};
  for (const auto& [character, entity] : kEntities) text = replace(text, character, entity, -1, meter);
  return text;
}

Value indent(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [width, first, blank] = arguments.take("indent", {"width", "first", "blank"});
  std::string margin;
  if (width.string()) {
    margin = *width.string();
  } else {
    const auto spaces = static_cast<size_t>(std::max<int64_t>(0, integer_argument(width, "width", 4)));
    meter.spend(spaces);
    margin.assign(spaces, ' ');
  }
  const std::string text = to_text(input, meter) + "\n";
  std::string result;
  bool is_first = true;
  for (const auto& line : split_lines(text, meter)) {
    meter.spend(margin.size());
    if (!is_first) result += '\n';
    if (is_first ? is_true(first) : (is_true(blank) || !line.empty())) result += margin;
    result += line;
    is_first = false;
  }
  return result;
}

Value tojson(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [ensure_ascii, indent_width, separators, sort_keys] =
      arguments.take("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  if (is_true(ensure_ascii)) throw fail("tojson(ensure_ascii=true) is not supported");
  JsonStyle style;
  style.sort_keys = is_true(sort_keys);
  if (!indent_width.undefined() && !indent_width.is_none()) {
    style.indent = integer_argument(indent_width, "indent", 0);
    style.item_separator = ",";
  }
  if (const auto* pair = separators.list(); pair && pair->items.size() == 2) {
    style.item_separator = string_argument(pair->items[0], "separators");
    style.key_separator = string_argument(pair->items[1], "separators");
  }
  return to_json(input, style, meter);
}

Value to_integer(const Value& input, const Arguments& arguments, Meter&) {
  const auto [fallback] = arguments.take("int", {"default"});
  const Value otherwise = fallback.undefined() ? Value(0) : fallback;
  if (const auto integer = input.integer()) return *integer;
  double number = 0;
  if (const auto* real = input.real()) {
    number = *real;
  } else if (const auto* text = input.string()) {
    const auto digits = strip(*text);
    int64_t integer = 0;
    const char* const end = digits.data() + digits.size();
    if (const auto [stop, error] = std::from_chars(digits.data(), end, integer); error == std::errc() && stop == end) {
      return integer;
    }
    if (const auto [stop, error] = std::from_chars(digits.data(), end, number); error != std::errc() || stop != end) {
      return otherwise;
    }
  } else {
    return otherwise;
  }
  constexpr double kLimit = 9.2e18;
  return std::abs(number) < kLimit ? Value(static_cast<int64_t>(number)) : otherwise;
}

Value to_real(const Value& input, const Arguments& arguments, Meter&) {
  const auto [fallback] = arguments.take("float", {"default"});
  if (const auto number = input.number()) return *number;
  const auto text = input.string() ? strip(*input.string()) : std::string_view();
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && stop == text.data() + text.size()) return number;
  return fallback.undefined() ? Value(0.0) : fallback;
}

Value absolute(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("abs");
  return compare(input, 0, meter) < 0 ? negate(input) : input;
}

Value default_filter(const Value& input, const Arguments& arguments, Meter&) {
  const auto [fallback, boolean] = arguments.take("default", {"default_value", "boolean"});
  const bool replaced = input.undefined() || (is_true(boolean) && !is_true(input));
  if (!replaced) return input;
  return fallback.undefined() ? Value("") : fallback;
}

Value length_filter(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("length");
  return length(input, meter);
}

Value first(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("first");
  const auto list = iterate(input, meter);
  return list->items.empty() ? Value::undefined("an empty sequence has no first item") : list->items.front();
}

Value last(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("last");
  const auto list = iterate(input, meter);
  return list->items.empty() ? Value::undefined("an empty sequence has no last item") : list->items.back();
}

Value join(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [separator, path] = arguments.take("join", {"d", "attribute"});
  const std::string between = to_text(separator, meter);
  std::string result;
  bool is_first = true;
  const auto list = iterate(input, meter);
  for (const Value& element : list->items) {
    const std::string text = to_text(attribute_at(element, path, meter), meter);
    meter.spend(between.size() + text.size());
    if (!is_first) result += between;
    result += text;
    is_first = false;
  }
  return result;
}

Value to_list(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("list");
  return iterate(input, meter);
}

Value items(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("items");
  if (input.undefined()) return Value::list({});
  if (!input.dict()) throw fail("items needs a dict, not {}", type_name(input));
  return bound_method(input, "items")->function()->call({}, meter);
}

Value reverse(const Value& input, const Arguments& arguments, Meter& meter) {
  arguments.take_none("reverse");
  return slice(input.string() ? input : Value(iterate(input, meter)), None{}, None{}, -1, meter);
}

// select, reject, selectattr and rejectattr: keep the elements whose test (truth, if none is named) equals `keep`.
template <bool keep, bool by_attribute>
Value filtered(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto& given = arguments.positional;
  constexpr size_t kLeading = by_attribute ? 1 : 0;
  if (given.size() < kLeading) throw fail("the name of an attribute is missing");
  TestFunction test = nullptr;
  if (given.size() > kLeading) {
    const auto& name = string_argument(given[kLeading], "test");
    test = find_test(name);
    if (!test) throw fail("there is no test named '{}'", name);
  }
  const Arguments rest = arguments.after(kLeading + 1);
  std::vector<Value> kept;
  const auto list = iterate(input, meter);
  for (const Value& element : list->items) {
    meter.spend(Meter::kStep);
    const Value subject = by_attribute ? attribute_at(element, given[0], meter) : element;
    if ((test ? test(subject, rest, meter) : is_true(subject)) == keep) kept.push_back(element);
  }
  return Value::list(std::move(kept));
}

Value map_attribute(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [path, fallback] = arguments.take("map", {"attribute", "default"});
  std::vector<Value> mapped;
  const auto list = iterate(input, meter);
  for (const Value& element : list->items) {
    meter.spend(Meter::kStep);
    const Value found = attribute_at(element, path, meter);
    mapped.push_back(found.undefined() && !fallback.undefined() ? fallback : found);
  }
  return Value::list(std::move(mapped));
}

Value map(const Value& input, const Arguments& arguments, Meter& meter) {
  if (arguments.positional.empty()) return map_attribute(input, arguments, meter);
  const auto& name = string_argument(arguments.positional[0], "filter");
  const FilterFunction filter = find_filter(name);
  if (!filter) throw fail("there is no filter named '{}'", name);
  const Arguments rest = arguments.after(1);
  std::vector<Value> mapped;
  const auto list = iterate(input, meter);
  for (const Value& element : list->items) {
    meter.spend(Meter::kStep);
    mapped.push_back(filter(element, rest, meter));
  }
  return Value::list(std::move(mapped));
}

// What ordering filters compare: strings without regard to case unless asked.
Value sort_key(const Value& value, bool case_sensitive, Meter& meter) {
  if (!value.string() || case_sensitive) return value;
  meter.spend(value.string()->size());
  return lower(*value.string());
}

std::vector<Value> sorted(std::vector<Value> values, std::vector<Value> keys, bool descending, Meter& meter) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    const int sign = compare(keys[a], keys[b], meter);
    return descending ? sign > 0 : sign < 0;
  });
  std::vector<Value> result;
  for (const size_t i : order) result.push_back(std::move(values[i]));
  return result;
}

Value sort(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [descending, case_sensitive, path] = arguments.take("sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<Value> values = elements(input, meter);
  std::vector<Value> keys;
  for (const Value& value : values) {
    keys.push_back(sort_key(attribute_at(value, path, meter), is_true(case_sensitive), meter));
  }
  return Value::list(sorted(std::move(values), std::move(keys), is_true(descending), meter));
}

Value dictsort(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [case_sensitive, by, descending] = arguments.take("dictsort", {"case_sensitive", "by", "reverse"});
  const std::string criterion = by.undefined() ? "key" : string_argument(by, "by");
  if (criterion != "key" && criterion != "value") throw fail("dictsort(by=...) is 'key' or 'value'");
  std::vector<Value> pairs = items(input, {}, meter).list()->items;
  std::vector<Value> keys;
  for (const Value& pair : pairs) {
    keys.push_back(sort_key(pair.list()->items[criterion == "key" ? 0 : 1], is_true(case_sensitive), meter));
  }
  return Value::list(sorted(std::move(pairs), std::move(keys), is_true(descending), meter));
}

Value unique(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [case_sensitive, path] = arguments.take("unique", {"case_sensitive", "attribute"});
  std::vector<Value> kept, keys;
  const auto list = iterate(input, meter);
  for (const Value& value : list->items) {
    Value key = sort_key(attribute_at(value, path, meter), is_true(case_sensitive), meter);
    if (std::ranges::any_of(keys, [&](const Value& seen) { return equal(seen, key, meter); })) continue;
    meter.spend(2 * Meter::kStep);
    keys.push_back(std::move(key));
    kept.push_back(value);
  }
  return Value::list(std::move(kept));
}

Value sum(const Value& input, const Arguments& arguments, Meter& meter) {
  const auto [path, start] = arguments.take("sum", {"attribute", "start"});
  Value total = start.undefined() ? Value(0) : start;
  const auto list = iterate(input, meter);
  for (const Value& value : list->items) {
    total = apply(BinaryOperator::add, total, attribute_at(value, path, meter), meter);
  }
  return total;
}

}  // namespace

FilterFunction find_filter(std::string_view name) {
  static const std::unordered_map<std::string_view, FilterFunction> filters{
      {"abs", absolute},
      {"capitalize", converted<capitalize>},
      {"count", length_filter},
      {"d", default_filter},
      {"default", default_filter},
      {"dictsort", dictsort},
      {"e", escape},
      {"escape", escape},
      {"first", first},
      {"float", to_real},
      {"indent", indent},
      {"int", to_integer},
      {"items", items},
      {"join", join},
      {"last", last},
      {"length", length_filter},
      {"list", to_list},
      {"lower", converted<lower>},
      {"map", map},
      {"reject", filtered<false, false>},
      {"rejectattr", filtered<false, true>},
      {"replace", replace_filter},
      {"reverse", reverse},
      {"safe", to_string},
      {"select", filtered<true, false>},
      {"selectattr", filtered<true, true>},
      {"sort", sort},
      {"string", to_string},
      {"sum", sum},
      {"tojson", tojson},
      {"trim", trim},
      {"unique", unique},
      {"upper", converted<upper>},
  };
  const auto found = filters.find(name);
  return found == filters.end() ? nullptr : found->second;
}

}  // namespace agro::detail::jinja
