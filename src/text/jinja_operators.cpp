#include "text/jinja_operators.h"

#include <algorithm>
#include <cmath>

#include "text/jinja_builtins.h"
#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**", "~"};

std::string_view symbol(BinaryOperator operation) { return kSymbols[static_cast<size_t>(operation)]; }

// By reference: the result of a built-in is written while the other argument is evaluated.
int64_t checked(bool overflow, const int64_t& result) {
  if (overflow) throw fail("an integer result does not fit in 64 bits");
  return result;
}

int64_t floor_remainder(int64_t a, int64_t b) {
  if (b == -1) return 0;  // a % b itself overflows for the lowest integer
  const int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

int64_t floor_quotient(int64_t a, int64_t b) {
  if (b == -1) {
    int64_t negated = 0;
    return checked(__builtin_sub_overflow(0, a, &negated), negated);
  }
  return a / b - (floor_remainder(a, b) != a % b ? 1 : 0);
}

Value integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0 && base == 0) throw fail("division by zero");
  if (exponent < 0) return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  // Beyond 64 factors only 0, 1 and -1 stay in range, and their powers depend on parity alone.
  if (exponent > 64) exponent = 64 + exponent % 2;
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) result = checked(__builtin_mul_overflow(result, base, &result), result);
  return result;
}

Value integer_arithmetic(BinaryOperator operation, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (operation) {
    case BinaryOperator::add:
      return checked(__builtin_add_overflow(a, b, &result), result);
    case BinaryOperator::subtract:
      return checked(__builtin_sub_overflow(a, b, &result), result);
    case BinaryOperator::multiply:
      return checked(__builtin_mul_overflow(a, b, &result), result);
    case BinaryOperator::divide:
      return static_cast<double>(a) / static_cast<double>(b);
    case BinaryOperator::floor_divide:
      return floor_quotient(a, b);
    case BinaryOperator::modulo:
      return floor_remainder(a, b);
    default:
      return integer_power(a, b);
  }
}

Value real_arithmetic(BinaryOperator operation, double a, double b) {
  switch (operation) {
    case BinaryOperator::add:
      return a + b;
    case BinaryOperator::subtract:
      return a - b;
    case BinaryOperator::multiply:
      return a * b;
    case BinaryOperator::divide:
      return a / b;
    case BinaryOperator::floor_divide:
      return std::floor(a / b);
    case BinaryOperator::modulo:
      return a - b * std::floor(a / b);
    default:
      return std::pow(a, b);
  }
}

Value arithmetic(BinaryOperator operation, const Value& left, const Value& right) {
  const bool divides = operation == BinaryOperator::divide || operation == BinaryOperator::floor_divide ||
                       operation == BinaryOperator::modulo;
  if (divides && right.number() == 0.0) throw fail("division by zero");
  const auto a = left.integer(), b = right.integer();
  if (a && b) return integer_arithmetic(operation, *a, *b);
  return real_arithmetic(operation, *left.number(), *right.number());
}

std::string joined(const std::string& left, const std::string& right, Meter& meter) {
  meter.spend(left.size() + right.size());
  return left + right;
}

Value joined(const List& left, const List& right, Meter& meter) {
  meter.spend(left.items.size() + right.items.size(), Meter::kStep);
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return Value::list(std::move(items));
}

Value repeated(const Value& sequence, int64_t count, Meter& meter) {
  const auto times = static_cast<size_t>(std::max<int64_t>(0, count));
  if (const auto* text = sequence.string()) {
    meter.spend(times, text->size() + 1);
    std::string result;
    for (size_t i = 0; i < times; ++i) result += *text;
    return result;
  }
  const auto& items = sequence.list()->items;
  meter.spend(times, items.size() * Meter::kStep + 1);
  std::vector<Value> result;
  for (size_t i = 0; i < times; ++i) result.insert(result.end(), items.begin(), items.end());
  return Value::list(std::move(result));
}

bool is_sequence(const Value& value) { return value.string() || value.list(); }

// Python's rule for one bound of a slice: negative counts from the end, and both ends are clamped.
int64_t slice_bound(const Value& bound, int64_t fallback, int64_t lowest, int64_t size) {
  if (bound.undefined() || bound.is_none()) return fallback;
  const auto at = bound.integer();
  if (!at) throw fail("a slice bound must be an integer, not {}", type_name(bound));
  return std::clamp(*at < 0 ? *at + size : *at, lowest, size + lowest);
}

int64_t slice_step(const Value& step, int64_t size) {
  if (step.undefined() || step.is_none()) return 1;
  const auto requested = step.integer();
  if (!requested || *requested == 0) throw fail("the step of a slice must be a non-zero integer");
  // A longer step selects the same single item, and a clamped one cannot overflow the position.
  return std::clamp(*requested, -size - 1, size + 1);
}

Value loop_attribute(const Loop& loop, std::string_view name) {
  const auto& items = loop.items->items;
  const size_t index = loop.index, count = items.size();
  if (name == "index0") return index;
  if (name == "index") return index + 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == count;
  if (name == "length") return count;
  if (name == "revindex0") return count - 1 - index;
  if (name == "revindex") return count - index;
  if (name == "previtem") return index > 0 ? items[index - 1] : Value::undefined("there is no previous item");
  if (name == "nextitem") return index + 1 < count ? items[index + 1] : Value::undefined("there is no next item");
  throw fail("loop.{} is not supported", name);
}

const Value* namespace_attribute(const Namespace& space, std::string_view name) {
  const auto found = space.attributes.find(name);
  return found == space.attributes.end() ? nullptr : &found->second;
}

}  // namespace

Value apply(BinaryOperator operation, const Value& left, const Value& right, Meter& meter) {
  if (operation == BinaryOperator::concatenate) return joined(to_text(left, meter), to_text(right, meter), meter);
  require_defined(left);
  require_defined(right);
  if (left.is_number() && right.is_number()) return arithmetic(operation, left, right);
  if (operation == BinaryOperator::add) {
    if (left.string() && right.string()) return joined(*left.string(), *right.string(), meter);
    if (left.list() && right.list()) return joined(*left.list(), *right.list(), meter);
  }
  if (operation == BinaryOperator::multiply) {
    if (is_sequence(left) && right.integer()) return repeated(left, *right.integer(), meter);
    if (is_sequence(right) && left.integer()) return repeated(right, *left.integer(), meter);
  }
  throw fail("'{}' cannot combine {} and {}", symbol(operation), type_name(left), type_name(right));
}

Value negate(const Value& value) {
  require_defined(value);
  if (const auto integer = value.integer()) return integer_arithmetic(BinaryOperator::subtract, 0, *integer);
  if (const auto* real = value.real()) return -*real;
  throw fail("'-' needs a number, not {}", type_name(value));
}

bool holds(ComparisonOperator operation, const Value& left, const Value& right, Meter& meter) {
  switch (operation) {
    case ComparisonOperator::equal:
      return equal(left, right, meter);
    case ComparisonOperator::not_equal:
      return !equal(left, right, meter);
    case ComparisonOperator::less:
      return compare(left, right, meter) < 0;
    case ComparisonOperator::less_equal:
      return compare(left, right, meter) <= 0;
    case ComparisonOperator::greater:
      return compare(left, right, meter) > 0;
    case ComparisonOperator::greater_equal:
      return compare(left, right, meter) >= 0;
    case ComparisonOperator::in:
      return contains(right, left, meter);
    case ComparisonOperator::not_in:
      break;
  }
  return !contains(right, left, meter);
}

bool contains(const Value& container, const Value& item, Meter& meter) {
  if (container.undefined()) return false;
  if (const auto* text = container.string()) {
    if (!item.string()) throw fail("'in' a string needs a string, not {}", type_name(item));
    meter.spend(text->size());
    return text->find(*item.string()) != std::string::npos;
  }
  if (const auto* list = container.list()) {
    return std::ranges::any_of(list->items, [&](const Value& element) { return equal(element, item, meter); });
  }
  if (const auto* dict = container.dict()) return item.string() && dict->find(*item.string());
  throw fail("'in' needs a string, list or dict, not {}", type_name(container));
}

Value attribute(const Value& object, const std::string& name) {
  require_defined(object);
  if (auto method = bound_method(object, name)) return std::move(*method);
  if (const auto* loop = object.loop()) return loop_attribute(*loop, name);
  const Value* found = nullptr;
  if (const auto* dict = object.dict()) found = dict->find(name);
  if (const auto* space = object.space()) found = namespace_attribute(*space, name);
  return found ? *found
               : Value::undefined(fmt::format("a value of type {} has no attribute '{}'", type_name(object), name));
}

Value item(const Value& object, const Value& key, Meter& meter) {
  require_defined(object);
  const auto* name = key.string();
  if (const auto* dict = object.dict(); dict && name) {
    if (const Value* found = dict->find(*name)) return *found;
  }
  if (name) return attribute(object, *name);
  if (const auto at = key.integer(); at && is_sequence(object)) {
    const auto size = static_cast<int64_t>(length(object, meter));
    const int64_t place = *at < 0 ? *at + size : *at;
    if (place < 0 || place >= size) return Value::undefined(fmt::format("there is no item {}", *at));
    if (const auto* list = object.list()) return list->items[static_cast<size_t>(place)];
    return slice(object, place, place + 1, None{}, meter);
  }
  return Value::undefined(fmt::format("a value of type {} has no item {}", type_name(object), to_text(key, meter)));
}

Value slice(const Value& object, const Value& begin, const Value& end, const Value& step, Meter& meter) {
  require_defined(object);
  if (!is_sequence(object)) throw fail("only a list or a string can be sliced, not {}", type_name(object));
  const auto* text = object.string();
  std::vector<size_t> offsets;
  if (text) {
    meter.spend(text->size(), sizeof(size_t));
    offsets = boundaries(*text);
  }
  const auto size = text ? std::ssize(offsets) - 1 : std::ssize(object.list()->items);
  const int64_t jump = slice_step(step, size);
  const int64_t lowest = jump < 0 ? -1 : 0;
  const int64_t first = slice_bound(begin, jump < 0 ? size - 1 : 0, lowest, size);
  const int64_t last = slice_bound(end, jump < 0 ? -1 : size, lowest, size);

  std::string piece;
  std::vector<Value> items;
  for (int64_t at = first; jump > 0 ? at < last : at > last; at += jump) {
    const auto i = static_cast<size_t>(at);
    meter.spend(text ? 4 : Meter::kStep);
    if (text) {
      piece.append(*text, offsets[i], offsets[i + 1] - offsets[i]);
    } else {
      items.push_back(object.list()->items[i]);
    }
  }
  return text ? Value(std::move(piece)) : Value::list(std::move(items));
}

std::shared_ptr<const List> iterate(const Value& value, Meter& meter) {
  if (value.list()) return value.shared_list();
  std::vector<Value> items;
  if (const auto* text = value.string()) {
    meter.spend(text->size(), 4 * Meter::kStep);
    const auto offsets = boundaries(*text);
    for (size_t i = 0; i + 1 < offsets.size(); ++i)
      items.emplace_back(text->substr(offsets[i], offsets[i + 1] - offsets[i]));
  } else if (const auto* dict = value.dict()) {
    for (const auto& [key, element] : dict->entries()) {
      meter.spend(key.size() + Meter::kStep);
      items.emplace_back(key);
    }
  } else if (!value.undefined()) {
    throw fail("a value of type {} cannot be iterated over", type_name(value));
  }
  return Value::list(std::move(items)).shared_list();
}

size_t length(const Value& value, Meter& meter) {
  if (value.undefined()) return 0;
  if (const auto* list = value.list()) return list->items.size();
  if (const auto* dict = value.dict()) return dict->entries().size();
  if (const auto* text = value.string()) {
    meter.spend(text->size());
    return count_code_points(*text);
  }
  throw fail("a value of type {} has no length", type_name(value));
}

}  // namespace agro::detail::jinja
