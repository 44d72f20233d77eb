#include "text/jinja_value.h"

#include <algorithm>
#include <cmath>

#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

int deeper(int depth, const Value& child) {
  depth = std::max(depth, child.depth() + 1);
  if (depth > Value::kMaxDepth) throw fail("a value nests more than {} deep", Value::kMaxDepth);
  return depth;
}

template <class T>
int sign(const T& left, const T& right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

std::string source_form(std::string_view text) {
  const bool contains_single = text.find('\'') != std::string_view::npos;
  const char quote = contains_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (c == '\r')
      result += "\\r";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\\' || c == quote)
      result.append(1, '\\').append(1, c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      result += fmt::format("\\x{:02x}", c);
    else
      result += c;
  }
  return result += quote;
}

// Writes str(value), or repr(value) for what lies inside a container.
class Printer {
 public:
  explicit Printer(Meter& meter) : meter_(meter) {}

  void write(const Value& value, bool inside) {
    if (const auto* text = value.string()) {
      put(inside ? source_form(*text) : *text);
    } else if (const auto* list = value.list()) {
      put("[");
      for (size_t i = 0; i < list->items.size(); ++i) {
        put(i ? ", " : "");
        write(list->items[i], true);
      }
      put("]");
    } else if (const auto* dict = value.dict()) {
      put("{");
      for (size_t i = 0; i < dict->entries().size(); ++i) {
        const auto& [key, item] = dict->entries()[i];
        put(i ? ", " : "");
        put(source_form(key));
        put(": ");
        write(item, true);
      }
      put("}");
    } else {
      put(scalar(value, inside));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  static std::string scalar(const Value& value, bool inside) {
    if (value.undefined()) return inside ? "Undefined" : "";
    if (value.is_none()) return "None";
    if (const auto* boolean = value.boolean()) return *boolean ? "True" : "False";
    if (const auto* real = value.real()) return real_text(*real, "inf", "nan");
    if (const auto integer = value.integer()) return std::to_string(*integer);
    return fmt::format("<{}>", type_name(value));
  }
  void put(std::string_view text) {
    meter_.spend(text.size() + 1);
    out_ += text;
  }

  Meter& meter_;
  std::string out_;
};

}  // namespace

Value::Value(Function function) : data_(std::make_shared<const Function>(std::move(function))) {}
Value::Value(Dict dict) : data_(std::make_shared<const Dict>(std::move(dict))) {}

Value Value::list(std::vector<Value> items) {
  int depth = 1;
  for (const Value& item : items) depth = deeper(depth, item);
  return Value(std::make_shared<const List>(List{std::move(items), depth}));
}

Value Value::undefined(std::string reason) {
  Value value;
  value.data_ = Undefined{std::make_shared<const std::string>(std::move(reason))};
  return value;
}

std::optional<int64_t> Value::integer() const {
  if (const auto* integer = std::get_if<int64_t>(&data_)) return *integer;
  if (const auto* flag = boolean()) return *flag ? 1 : 0;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const auto* value = real()) return *value;
  if (const auto value = integer()) return static_cast<double>(*value);
  return std::nullopt;
}

int Value::depth() const {
  if (const auto* items = list()) return items->depth;
  if (const auto* entries = dict()) return entries->depth();
  if (const auto* iteration = loop()) return iteration->items->depth + 1;
  if (const auto* callable = function()) return callable->depth;
  return 0;
}

Dict::Dict(std::vector<Entry> entries) {
  entries_.reserve(entries.size());
  for (auto& [key, value] : entries) {
    depth_ = deeper(depth_, value);
    if (const auto place = places_.find(key); place != places_.end()) {
      entries_[place->second].second = std::move(value);
    } else {
      entries_.emplace_back(std::move(key), std::move(value));
      places_.emplace(entries_.back().first, entries_.size() - 1);
    }
  }
}

const Value* Dict::find(std::string_view key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_[place->second].second;
}

std::string_view type_name(const Value& value) {
  if (value.undefined()) return "Undefined";
  if (value.is_none()) return "NoneType";
  if (value.boolean()) return "bool";
  if (value.is_integer()) return "int";
  if (value.real()) return "float";
  if (value.string()) return "str";
  if (value.list()) return "list";
  if (value.dict()) return "dict";
  if (value.loop()) return "loop";
  return value.function() ? "function" : "namespace";
}

void require_defined(const Value& value) {
  const auto* undefined = value.undefined();
  if (undefined) throw Error(undefined->reason ? *undefined->reason : "the value is undefined");
}

bool is_true(const Value& value) {
  if (value.undefined() || value.is_none()) return false;
  if (const auto number = value.number()) return *number != 0;
  if (const auto* text = value.string()) return !text->empty();
  if (const auto* list = value.list()) return !list->items.empty();
  if (const auto* dict = value.dict()) return !dict->entries().empty();
  return true;
}

bool equal(const Value& left, const Value& right, Meter& meter) {
  meter.spend(Meter::kStep);
  if (left.integer() && right.integer()) return left.integer() == right.integer();
  if (left.is_number() && right.is_number()) return left.number() == right.number();
  if (left.undefined() || right.undefined()) return left.undefined() && right.undefined();
  if (left.is_none() || right.is_none()) return left.is_none() && right.is_none();
  if (left.string() && right.string()) {
    meter.spend(std::min(left.string()->size(), right.string()->size()));
    return *left.string() == *right.string();
  }
  if (const auto* a = left.list(), *b = right.list(); a && b) {
    return std::ranges::equal(a->items, b->items, [&](const Value& x, const Value& y) { return equal(x, y, meter); });
  }
  if (const auto* a = left.dict(), *b = right.dict(); a && b) {
    if (a->entries().size() != b->entries().size()) return false;
    return std::ranges::all_of(a->entries(), [&](const Dict::Entry& entry) {
      const Value* other = b->find(entry.first);
      return other && equal(entry.second, *other, meter);
    });
  }
  return left.space() && left.space() == right.space();
}

int compare(const Value& left, const Value& right, Meter& meter) {
  meter.spend(Meter::kStep);
  require_defined(left);
  require_defined(right);
  if (left.integer() && right.integer()) return sign(*left.integer(), *right.integer());
  if (left.is_number() && right.is_number()) return sign(*left.number(), *right.number());
  if (left.string() && right.string()) {
    meter.spend(std::min(left.string()->size(), right.string()->size()));
    return left.string()->compare(*right.string());
  }
  if (const auto* a = left.list(), *b = right.list(); a && b) {
    const size_t common = std::min(a->items.size(), b->items.size());
    for (size_t i = 0; i < common; ++i) {
      if (!equal(a->items[i], b->items[i], meter)) return compare(a->items[i], b->items[i], meter);
    }
    return sign(a->items.size(), b->items.size());
  }
  throw fail("'{}' and '{}' have no order", type_name(left), type_name(right));
}

std::string to_text(const Value& value, Meter& meter) {
  Printer printer(meter);
  printer.write(value, false);
  return printer.take();
}

std::string real_text(double value, std::string_view inf, std::string_view nan) {
  if (std::isnan(value)) return std::string(nan);
  if (std::isinf(value)) return fmt::format("{}{}", value < 0 ? "-" : "", inf);
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace agro::detail::jinja
