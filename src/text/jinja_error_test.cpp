// What a template may not do: every refusal says where, and untrusted templates stay within their limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/jinja_evaluator.h"
#include "text/jinja_parser.h"

namespace agro::detail::jinja {
namespace {

std::string message_of(const std::string& source, const OrderedJson& json = OrderedJson::object()) {
  try {
    std::vector<Dict::Entry> entries;
    for (const auto& [name, value] : json.items()) entries.emplace_back(name, from_json(value));
    const std::string text = render(parse(source), std::move(entries));
    return "no error, rendered: " + text.substr(0, 200);
  } catch (const Error& error) {
    return error.what();
  }
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(JinjaError, SyntaxErrorsNameLineAndColumn) {
  EXPECT_EQ(message_of("a\n  {{ x | nope }}"), "line 2, column 10: there is no filter named 'nope'");
  EXPECT_EQ(message_of("é {{ x is nope }}"), "line 1, column 11: there is no test named 'nope'");
  EXPECT_EQ(message_of("{% include 'x' %}"), "line 1, column 4: unknown tag 'include'");
  EXPECT_EQ(message_of("\n{{ 'abc }}"), "line 2, column 4: the string is not closed");
  EXPECT_EQ(message_of("a {{ 1"), "line 1, column 3: the tag is not closed by '}}'");
  EXPECT_EQ(message_of("{# a"), "line 1, column 1: the comment is not closed by '#}'");
  EXPECT_EQ(message_of("{% raw %}\n"), "line 1, column 1: 'raw' is not closed by 'endraw'");
  EXPECT_EQ(message_of("{{ (1] }}"), "line 1, column 6: expected ')', found ']'");
  EXPECT_EQ(message_of("{{ 1 + }}"), "line 1, column 8: expected an expression, found the end of the tag");
  EXPECT_EQ(message_of("{{ 1 2 }}"), "line 1, column 6: expected '}}', found '2'");
  EXPECT_EQ(message_of("{{ a $ b }}"), "line 1, column 6: unexpected character '$'");
  EXPECT_EQ(message_of("{{ '\\u12' }}"), "line 1, column 5: '\\u' needs 4 hexadecimal digits");
  EXPECT_EQ(message_of("{{ '\\ud83d' }}"), "line 1, column 5: U+D83D is not a character");
  EXPECT_EQ(message_of("{{ 99999999999999999999 }}"), "line 1, column 4: '99999999999999999999' is out of range");
  EXPECT_THAT(message_of("{% if x %}\na"), testing::HasSubstr("expected 'endif', found the end of the template"));
  EXPECT_THAT(message_of("{% break %}"), testing::HasSubstr("break and continue need a loop"));
  EXPECT_THAT(message_of("{% for x in y %}{% set z %}{% break %}{% endset %}{% endfor %}"),
              testing::HasSubstr("break and continue need a loop"));
  EXPECT_THAT(message_of("{% for x in y %}{% endif %}"), testing::HasSubstr("unknown tag 'endif'"));
}

TEST(JinjaError, RuntimeErrorsNameTheLine) {
  EXPECT_EQ(message_of("a\n\n{{ raise_exception('no ' ~ 1) }}"), "line 3: no 1");
  EXPECT_EQ(message_of("{{ x.y }}"), "line 1: 'x' is undefined");
  EXPECT_EQ(message_of("{{ [1,\n x.y,\n 2] }}"), "line 2: 'x' is undefined");
  EXPECT_EQ(message_of("{{ x[0] }}"), "line 1: 'x' is undefined");
  EXPECT_EQ(message_of("{{ m.a.b }}", {{"m", OrderedJson::object()}}),
            "line 1: a value of type dict has no attribute 'a'");
  EXPECT_EQ(message_of("{{ [1][3].x }}"), "line 1: there is no item 3");
  EXPECT_EQ(message_of("{{ 'a' + 1 }}"), "line 1: '+' cannot combine str and int");
  EXPECT_EQ(message_of("{{ +'a' }}"), "line 1: '+' cannot combine int and str");
  EXPECT_EQ(message_of("{{ 'a' + x }}"), "line 1: 'x' is undefined");
  EXPECT_EQ(message_of("{{ x() }}"), "line 1: 'x' is undefined");
  EXPECT_EQ(message_of("{{ 1() }}"), "line 1: a value of type int cannot be called");
  EXPECT_EQ(message_of("{{ 1 // 0 }}"), "line 1: division by zero");
  EXPECT_EQ(message_of("{{ 1 < 'a' }}"), "line 1: 'int' and 'str' have no order");
  EXPECT_EQ(message_of("{% for i in none %}{% endfor %}"), "line 1: a value of type NoneType cannot be iterated over");
  EXPECT_EQ(message_of("{% for a, b in [[1]] %}{% endfor %}"), "line 1: expected 2 values to unpack, found 1");
  EXPECT_EQ(message_of("{% set d.x = 1 %}", {{"d", OrderedJson::object()}}),
            "line 1: 'd' is not a namespace: only a namespace's attributes can be set");
  EXPECT_EQ(message_of("{{ [].append(1) }}"), "line 1: a value of type list has no attribute 'append'");
  EXPECT_EQ(message_of("{{ x | tojson }}"), "line 1: a value of type Undefined cannot be written as JSON");
  EXPECT_EQ(message_of("{{ 'a' | indent(1, 2, 3, 4) }}"), "line 1: indent takes at most 3 arguments, found 4");
  EXPECT_EQ(message_of("{{ 'a' | trim(char='b') }}"), "line 1: trim has no parameter 'char'");
  EXPECT_EQ(message_of("{{ 'a' | trim('b', chars='b') }}"), "line 1: trim got its parameter 'chars' twice");
  EXPECT_EQ(message_of("{% macro m(a) %}{% endmacro %}\n{{ m(1, 2) }}"),
            "line 2: m takes at most 1 arguments, found 2");
  EXPECT_EQ(message_of("{{ 'a'.split('') }}"), "line 1: empty separator");
  EXPECT_EQ(message_of("{{ 9223372036854775807 + 1 }}"), "line 1: an integer result does not fit in 64 bits");
  EXPECT_EQ(message_of("{{ (-9223372036854775807 - 1) // -1 }}"), "line 1: an integer result does not fit in 64 bits");
  EXPECT_EQ(message_of("{{ 10 ** 100 }}"), "line 1: an integer result does not fit in 64 bits");
  EXPECT_EQ(message_of("{{ {1: 2} }}"), "line 1: a dict's key must be a string, not int");
}

TEST(JinjaError, LineAfterAMacroIsTheCallers) {
  EXPECT_EQ(message_of("{% macro m() %}\n\n{% endmacro %}\n{{ m() }}{{ m() + 1 }}"),
            "line 4: '+' cannot combine str and int");
}

TEST(JinjaLimit, Work) {
  const auto exceeds = testing::HasSubstr("more work than");
  EXPECT_THAT(message_of("{% for i in range(10**12) %}x{% endfor %}"), exceeds);
  EXPECT_THAT(message_of("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"), exceeds);
  EXPECT_THAT(message_of("{{ 'abc' * 10**15 }}"), exceeds);
  EXPECT_THAT(message_of("{{ [1, 2] * (4 * 10**18) }}"), exceeds);
  EXPECT_THAT(message_of("{{ 'a' | indent(10**17) }}"), exceeds);
  EXPECT_THAT(message_of("{{ [[]] | tojson(indent=10**17) }}"), exceeds);
  EXPECT_THAT(message_of("{% set a = 'x' * 10**6 %}{{ a.replace('x', a) }}"), exceeds);
  EXPECT_THAT(
      message_of("{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"),
      exceeds);
  const std::string doubling =
      "{% set ns = namespace(a=[1], b=[1]) %}"
      "{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}";
  EXPECT_THAT(message_of(doubling + "{{ ns.a }}"), exceeds);
  EXPECT_THAT(message_of(doubling + "{{ ns.a | tojson }}"), exceeds);
  EXPECT_THAT(message_of(doubling + "{{ ns.a == ns.b }}"), exceeds);
  EXPECT_THAT(message_of(doubling + "{{ ns.a < ns.b }}"), exceeds);
}

TEST(JinjaLimit, Depth) {
  const auto nests = testing::HasSubstr("nests more than");
  EXPECT_THAT(message_of("{{ " + repeat("(", 100000) + "1" + repeat(")", 100000) + " }}"), nests);
  EXPECT_THAT(message_of("{{ " + repeat("[", 100000) + repeat("]", 100000) + " }}"), nests);
  EXPECT_THAT(message_of("{{ " + repeat("-", 100000) + "1 }}"), testing::HasSubstr("deep"));
  EXPECT_THAT(message_of("{{ " + repeat("not ", 100000) + "1 }}"), nests);
  EXPECT_THAT(message_of("{{ " + repeat("1 if 1 else ", 50000) + "1 }}"), nests);
  EXPECT_THAT(message_of(repeat("{% if 1 %}", 50000) + repeat("{% endif %}", 30000)), nests);
  EXPECT_THAT(message_of("{% set ns = namespace(a=[]) %}{% for i in range(999) %}{% set ns.a = [ns.a] %}{% endfor %}"),
              nests);
  EXPECT_THAT(
      message_of("{% set ns = namespace(a={}) %}{% for i in range(999) %}{% set ns.a = {'g': ns.a.get} %}{% endfor %}"),
      nests);
  const auto recurses = testing::HasSubstr("recurses more than");
  EXPECT_THAT(message_of("{{ 1" + repeat("+1", 100000) + " }}"), recurses);
  EXPECT_THAT(message_of("{{ x" + repeat("|trim", 100000) + " }}"), recurses);
  EXPECT_THAT(message_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), recurses);
  EXPECT_THAT(message_of("{{ 'a' | map('map'" + repeat(", 'map'", 1000) + ") }}"),
              testing::HasSubstr("more than 64 arguments"));
}

TEST(JinjaLimit, Source) {
  EXPECT_THAT(message_of(repeat("x", (1 << 20) + 1)), testing::HasSubstr("the template has 1048577 bytes"));
  const std::string one_line = repeat("{{ 1 }}", 140000);
  EXPECT_EQ(render(parse(one_line), {}), repeat("1", 140000));
}

TEST(JinjaLimit, ANamespaceMayHoldItself) {
  EXPECT_EQ(message_of("{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns.me[0].me[0] is mapping }}"),
            "no error, rendered: False");
}

}  // namespace
}  // namespace agro::detail::jinja
