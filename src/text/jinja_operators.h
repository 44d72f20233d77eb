#pragma once
// The operators of template expressions with Python's results: arithmetic, membership, attributes, items and slices.
#include <optional>

#include "text/jinja_value.h"

namespace agro::detail::jinja {

enum class BinaryOperator { add, subtract, multiply, divide, floor_divide, modulo, power, concatenate };
enum class ComparisonOperator { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };

/// Throws Error for types that do not combine, division by zero and results beyond 64 bits.
Value apply(BinaryOperator operation, const Value& left, const Value& right, Meter& meter);
Value negate(const Value& value);
bool holds(ComparisonOperator operation, const Value& left, const Value& right, Meter& meter);

/// `item in container`: a substring, an element or a key.
bool contains(const Value& container, const Value& item, Meter& meter);

/// object.name: a method, else a key. An undefined value if there is neither; throws Error on an undefined object.
Value attribute(const Value& object, const std::string& name);

/// object[key]: a position (negative ones count from the end) or a key, else attribute(object, key).
Value item(const Value& object, const Value& key, Meter& meter);

/// object[begin:end:step] of a list or string; undefined or none stands for an omitted bound.
Value slice(const Value& object, const Value& begin, const Value& end, const Value& step, Meter& meter);

/// What a for loop visits: elements, keys or code points; nothing for an undefined value. Throws Error for the rest.
std::shared_ptr<const List> iterate(const Value& value, Meter& meter);

/// len(value); 0 for an undefined value.
size_t length(const Value& value, Meter& meter);

}  // namespace agro::detail::jinja
