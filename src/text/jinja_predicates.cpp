// Tests: the names after "is".
#include <cmath>
#include <unordered_map>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

using Predicate = bool (*)(const Value&);

// A test of the value alone.
template <Predicate predicate>
bool plain(const Value& value, const Arguments& arguments, Meter&) {
  arguments.take_none("this test");
  return predicate(value);
}

template <ComparisonOperator operation>
bool compared(const Value& value, const Arguments& arguments, Meter& meter) {
  const auto [other] = arguments.take("this test", {"other"});
  return holds(operation, value, other, meter);
}

bool divides(const Value& value, int64_t divisor) {
  const auto integer = value.integer();
  if (!integer || divisor == 0) throw fail("divisibility needs integers and a divisor other than zero");
  return divisor == -1 || *integer % divisor == 0;
}

bool divisible_by(const Value& value, const Arguments& arguments, Meter&) {
  const auto [divisor] = arguments.take("divisibleby", {"num"});
  return divides(value, integer_argument(divisor, "num", 0));
}

bool is_defined(const Value& value) { return !value.undefined(); }
bool is_undefined(const Value& value) { return value.undefined(); }
bool is_none(const Value& value) { return value.is_none(); }
bool is_string(const Value& value) { return value.string(); }
bool is_mapping(const Value& value) { return value.dict(); }
bool is_collection(const Value& value) { return value.string() || value.list() || value.dict() || value.undefined(); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_integer(const Value& value) { return value.is_integer(); }
bool is_float(const Value& value) { return value.real(); }
bool is_boolean(const Value& value) { return value.boolean(); }
bool is_exactly_true(const Value& value) { return value.boolean() && *value.boolean(); }
bool is_exactly_false(const Value& value) { return value.boolean() && !*value.boolean(); }
bool is_callable(const Value& value) { return value.function(); }
bool is_odd(const Value& value) { return !divides(value, 2); }
bool is_even(const Value& value) { return divides(value, 2); }

}  // namespace

TestFunction find_test(std::string_view name) {
  using enum ComparisonOperator;
  static const std::unordered_map<std::string_view, TestFunction> tests{
      {"defined", plain<is_defined>},
      {"undefined", plain<is_undefined>},
      {"none", plain<is_none>},
      {"string", plain<is_string>},
      {"mapping", plain<is_mapping>},
      {"iterable", plain<is_collection>},
      {"sequence", plain<is_collection>},
      {"number", plain<is_number>},
      {"integer", plain<is_integer>},
      {"float", plain<is_float>},
      {"boolean", plain<is_boolean>},
      {"true", plain<is_exactly_true>},
      {"false", plain<is_exactly_false>},
      {"callable", plain<is_callable>},
      {"odd", plain<is_odd>},
      {"even", plain<is_even>},
      {"divisibleby", divisible_by},
      {"in", compared<in>},
      {"equalto", compared<equal>},
      {"eq", compared<equal>},
      {"==", compared<equal>},
      {"ne", compared<not_equal>},
      {"!=", compared<not_equal>},
      {"lt", compared<less>},
      {"lessthan", compared<less>},
      {"<", compared<less>},
      {"le", compared<less_equal>},
      {"<=", compared<less_equal>},
      {"gt", compared<greater>},
      {"greaterthan", compared<greater>},
      {">", compared<greater>},
      {"ge", compared<greater_equal>},
      {">=", compared<greater_equal>},
  };
  const auto found = tests.find(name);
  return found == tests.end() ? nullptr : found->second;
}

}  // namespace agro::detail::jinja
