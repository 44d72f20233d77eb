// Renderings of language constructs. The expected texts are those of jinja2 3.1 with the settings of transformers.
#include <gtest/gtest.h>

#include "text/jinja_evaluator.h"
#include "text/jinja_parser.h"

namespace agro::detail::jinja {
namespace {

struct Case {
  std::string source, expected;
};

std::vector<Dict::Entry> variables() {
  const auto json = OrderedJson::parse(R"~({
    "text": "  Héllo Wörld\n", "n": 7, "x": 2.5, "yes": true, "nothing": null, "empty": [], "list": [3, 1, 2, 1],
    "words": ["b", "A", "c"], "d": {"z": 1, "a": {"b": [1, 2, "ü\"\n"]}, "items": 5},
    "people": [{"name": "Ann", "age": 3}, {"name": "bob", "age": 1}, {"name": "Cy"}]})~");
  std::vector<Dict::Entry> entries;
  for (const auto& [name, value] : json.items()) entries.emplace_back(name, from_json(value));
  return entries;
}

void expect_renderings(const std::vector<Case>& cases) {
  for (const auto& [source, expected] : cases) {
    try {
      EXPECT_EQ(render(parse(source), variables()), expected) << source;
    } catch (const Error& error) {
      ADD_FAILURE() << source << "\n" << error.what();
    }
  }
}

TEST(Jinja, Whitespace) {
  expect_renderings({
      {"a\n  {% if yes %}\nb\n  {% endif %}\nc\n", "a\nb\nc"},
      {"a {%- if yes -%}  b  {%- endif -%} c", "abc"},
      {"  {{ n }}\n  {{- n -}}\n x", "  77x"},
      {"a\n  {%+ if yes %}b{% endif +%}\nc", "a\n  b\nc"},
      {"{# one #}\n  {# two -#}  x {#- three #} y", "x y"},
      {"a {% raw %}{{ n }} {% if %}{% endraw %}\nb", "a {{ n }} {% if %}b"},
      {"a\n {%- raw -%} {{ x }} {%- endraw -%} b", "a{{ x }}b"},
      {"a\r\nb\rc\r\n", "a\nb\nc"},
      {"x\n\n", "x\n"},
      {"{{ n }}\n\n{{ n }}", "7\n\n7"},
      {"{ {n} } {a", "{ {n} } {a"},
      {"  {% set a = 1 %}  \n{{ a }}", "  \n1"},
      {"{{ '{{' }}{{ {'a': {'b': 1}}['a']['b'] }}", "{{1"},
  });
}

TEST(Jinja, Expressions) {
  expect_renderings({
      {"{{ 1 + 2 * 3 - 4 }}|{{ 7 // 2 }}|{{ -7 // 2 }}|{{ -7 % 3 }}|{{ 7 / 2 }}|{{ 6 / 2 }}|{{ 2 ** 10 }}|{{ 2 ** -1 "
       "}}",
       "3|3|-4|2|3.5|3.0|1024|0.5"},
      {"{{ 7.5 // 2 }}|{{ -7.5 % 2 }}|{{ 1e16 }}|{{ 1.5e-7 }}|{{ 100000.0 }}|{{ 0.1 + 0.2 }}|{{ 1_000 }}",
       "3.0|0.5|1e+16|1.5e-07|100000.0|0.30000000000000004|1000"},
      {"{{ -n|abs }}|{{ (-n)|abs }}|{{ +n }}|{{ - -n }}|{{ 2 ** 3 ** 2 }}|{{ 10 - 2 - 3 }}", "7|7|7|7|64|5"},
      {"{{ 'a' ~ 1 ~ none ~ true ~ 2.0 ~ missing }}", "a1NoneTrue2.0"},
      {"{{ 'ab' * 3 }}|{{ [1] * 2 + [3] }}|{{ true + true }}", "ababab|[1, 1, 3]|2"},
      {"{{ 1 < 2 < 3 }}|{{ 1 < 2 > 2 }}|{{ 1 == 1.0 == true }}|{{ 'a' < 'b' }}|{{ [1, 2] < [1, 3] }}|{{ 'x' != none }}",
       "True|False|True|True|True|True"},
      {"{{ 1 in list }}|{{ 9 not in list }}|{{ 'Wör' in text }}|{{ 'a' in d }}|{{ not 1 in list }}|{{ 'x' in missing "
       "}}",
       "True|True|True|True|False|False"},
      {"{{ n if yes else x }}|{{ n if not yes }}|{{ 1 if false else 2 if false else 3 }}", "7||3"},
      {"{{ yes and n }}|{{ nothing or 'dflt' }}|{{ not yes or x }}|{{ 0 and missing.x }}|{{ 1 or missing.x }}",
       "7|dflt|2.5|0|1"},
      {R"~({{ 'a\n\t\'\x41\u00e9\U0001F600\q' "b" }})~", "a\n\t'Aé😀\\qb"},
      {"{{ (1, 2)[1] }}|{{ () | length }}|{{ (n) }}|{{ [1, 2,] | length }}|{{ {'a': 1, 'b': [2],}.b[0] }}",
       "2|0|7|2|2"},
      {"{{ list[0] }}|{{ list[-1] }}|{{ list[9] }}|{{ d.a.b.1 }}|{{ d['a']['b'][-1][0] }}|{{ text[3] }}|{{ text[-2] }}",
       "3|1||2|ü|é|d"},
      {"{{ list[1:] }}|{{ list[:-1] }}|{{ list[::-1] }}|{{ list[::2] }}|{{ list[-1:0:-2] }}|{{ list[10:] }}|{{ "
       "list[-10:2] }}|{{ list[::-100] }}|{{ 'héllo'[1:3] }}|{{ 'héllo'[::-1] }}|{{ list[none:2] }}",
       "[1, 2, 1]|[3, 1, 2]|[1, 2, 1, 3]|[3, 2]|[1, 1]|[]|[3, 1]|[1]|él|olléh|[3, 1]"},
      {"{{ d['items'] }}|{{ d.get('z') }}|{{ d.get('q') }}|{{ d.get('q', 4) }}|{{ d.items is defined }}",
       "5|1|None|4|True"},
      {R"~({{ list }}|{{ d.a }}|{{ [none, true, 1.5, 'it\'s', 'q"', 'n\n'] }})~",
       R"~([3, 1, 2, 1]|{'b': [1, 2, 'ü"\n']}|[None, True, 1.5, "it's", 'q"', 'n\n'])~"},
      {"{{ missing }}|{{ nothing }}|{{ yes }}|{{ d.nope }}|{{ nothing.x }}", "|None|True||"},
      {"{{ [1] == [1.0] }}|{{ {'a': 1} == {'a': 1} }}|{{ missing == nowhere }}|{{ missing == none }}|{{ n == 'n' }}",
       "True|True|True|False|False"},
  });
}

TEST(Jinja, Statements) {
  expect_renderings({
      {"{% for i in list %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/{{ loop.length "
       "}}{{ loop.first }}{{ loop.last }}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}",
       "1/0/4/3/4TrueFalse<3>1 2/1/3/2/4FalseFalse3<1>2 3/2/2/1/4FalseFalse1<2>1 4/3/1/0/4FalseTrue2<1> "},
      {"{% for i in empty %}x{% else %}none{% endfor %}{% for i in missing %}x{% else %}!{% endfor %}", "none!"},
      {"{% for k, v in d.a.items() %}{{ k }}={{ v }}{% endfor %}{% for k in d %}{{ k }},{% endfor %}{% for c in 'aé' "
       "%}[{{ c }}]{% endfor %}",
       R"~(b=[1, 2, 'ü"\n']z,a,items,[a][é])~"},
      {"{% for i in list if i > 1 %}{{ i }}:{{ loop.index }}of{{ loop.length }} {% else %}no{% endfor %}",
       "3:1of2 2:2of2 "},
      {"{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% "
       "endfor %}",
       "0134"},
      {"{% set a = 1 %}{% for i in list %}{% set a = a + i %}{{ a }},{% endfor %}{{ a }}", "4,2,3,2,1"},
      {"{% set ns = namespace(total=0, seen=false) %}{% for i in list %}{% set ns.total = ns.total + i %}{% set ns.new "
       "= i %}{% endfor %}{{ ns.total }} {{ ns.seen }} {{ ns.new }} {{ ns.nope }}",
       "7 False 1 "},
      {"{% set a, b = 1, 2 %}{{ b }}{{ a }}{% set c = 1, %}{{ c | length }}{% set (p, q) = [3, 4] %}{{ p }}{{ q }}",
       "21134"},
      {"{% set block %}<{{ n }}>{% set inner = 1 %}{% endset %}{{ block }}{{ block }}{{ inner is defined }}",
       "<7><7>False"},
      {"{% if not yes %}a{% elif n == 7 %}b{% elif true %}c{% else %}d{% endif %}{% if missing %}x{% endif %}", "b"},
      {"{% macro greet(name, mark='!', n=2) %}{{ name }}{{ mark * n }}{% endmacro %}{{ greet('a') }} {{ greet('b', "
       "'?') }} {{ greet(name='c', n=1) }} {{ greet() }}",
       "a!! b?? c! !!"},
      {"{% macro fact(k) %}{% if k < 2 %}1{% else %}{{ k * (fact(k - 1) | int) }}{% endif %}{% endmacro %}{{ fact(10) "
       "}}",
       "3628800"},
      {"{% set outer = 5 %}{% macro m() %}{{ outer }}{{ i }}{% endmacro %}{% for i in [1] %}{{ m() }}{% endfor %}",
       "5"},
      {"{% if yes %}{% set inside = 3 %}{% endif %}{{ inside }}", "3"},
      {"{% for a in [1, 2] %}{% for b in [1, 2] %}{{ loop.index }}{% if b == a %}{% break %}{% endif %}{% endfor %};{% "
       "endfor %}",
       "1;12;"},
      {"{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}{{ range(3) | list }}{{ range(1, 3) | sum }}",
       "531[0, 1, 2]3"},
      {"{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{% endfor %}", "1234"},
  });
}

TEST(Jinja, Tests) {
  expect_renderings({
      {"{{ n is defined }}{{ missing is defined }}{{ missing is undefined }}{{ d.q is not defined }}{{ nothing is none "
       "}}{{ n is not none }}",
       "TrueFalseTrueTrueTrueTrue"},
      {"{{ text is string }}{{ d is mapping }}{{ list is iterable }}{{ text is iterable }}{{ n is iterable }}{{ list "
       "is sequence }}{{ d is sequence }}{{ missing is iterable }}{{ nothing is sequence }}",
       "TrueTrueTrueTrueFalseTrueTrueTrueFalse"},
      {"{{ n is number }}{{ x is number }}{{ yes is number }}{{ yes is integer }}{{ n is integer }}{{ x is float }}{{ "
       "yes is boolean }}{{ n is boolean }}{{ yes is true }}{{ 1 is true }}{{ false is false }}",
       "TrueTrueTrueFalseTrueTrueTrueFalseTrueFalseTrue"},
      {"{{ n is odd }}{{ n is even }}{{ n is divisibleby 7 }}{{ n is divisibleby(2) }}{{ n is equalto 7 }}{{ n is eq 8 "
       "}}{{ n is in [1, 7] }}{{ n is gt 3 }}{{ n is not lt 3 }}{{ n is ne 7 }}",
       "TrueFalseTrueFalseTrueFalseTrueTrueTrueFalse"},
      {"{{ 'a' if n is defined else 'b' }}{{ n is defined and x is string }}{{ not n is defined }}", "aFalseFalse"},
  });
}

TEST(Jinja, Filters) {
  expect_renderings({
      {"[{{ text | trim }}][{{ 'xxaxx' | trim('x') }}][{{ none | trim }}][{{ missing | trim }}]",
       "[Héllo Wörld][a][None][]"},
      {"{{ text | length }}|{{ list | count }}|{{ d | length }}|{{ missing | length }}", "14|4|3|0"},
      {"{{ missing | default('q') }}|{{ '' | d('q') }}|{{ '' | default('q', true) }}|{{ nothing | default('q', "
       "boolean=true) }}|{{ nothing | default('q') }}|{{ missing | default }}",
       "q||q|q|None|"},
      {"{{ list | join }}|{{ list | join(', ') }}|{{ people | join('-', attribute='name') }}|{{ missing | join(',') "
       "}}|{{ 'abc' | join('.') }}",
       "3121|3, 1, 2, 1|Ann-bob-Cy||a.b.c"},
      {"{{ 'éa' | upper }}|{{ 'ÉA' | lower }}|{{ 'éA b' | capitalize }}", "ÉA|éa|Éa b"},
      {"{{ list | first }}|{{ list | last }}|{{ empty | first }}|{{ 'abc' | last }}", "3|1||c"},
      {"{{ 'aXbXc' | replace('X', '--') }}|{{ 'aaa' | replace('a', 'b', 2) }}|{{ 'ab' | replace('', '.') }}|{{ 12 | "
       "replace(1, 3) }}",
       "a--b--c|bba|.a.b.|32"},
      {"{% for k, v in d.a | items %}{{ k }}{{ v[0] }}{% endfor %}|{{ missing | items | list }}|{{ 'ab' | list }}|{{ d "
       "| list }}",
       "b1|[]|['a', 'b']|['z', 'a', 'items']"},
      {"{{ '42' | int + 1 }}|{{ 'x' | int }}|{{ 'x' | int(9) }}|{{ 3.9 | int }}|{{ ' -3.7 ' | int }}|{{ true | int "
       "}}|{{ '2.5' | float }}|{{ 'q' | float }}|{{ 3 | float }}|{{ 12 | string + 'a' }}",
       "43|0|9|3|-3|1|2.5|0.0|3.0|12a"},
      {"{{ list | select('gt', 1) | list }}|{{ list | reject('odd') | list }}|{{ [0, 1, '', 'a'] | select | list }}|{{ "
       "words | reject('equalto', 'A') | join(', ') }}",
       "[3, 2]|[2]|[1, 'a']|b, c"},
      {"{{ people | selectattr('age') | map(attribute='name') | list }}|{{ people | rejectattr('age', 'defined') | "
       "map(attribute='name') | join }}|{{ people | selectattr('age', 'equalto', 1) | map(attribute='name') | first }}",
       "['Ann', 'bob']|Cy|bob"},
      {"{{ words | map('upper') | join(',') }}|{{ people | map(attribute='age', default=0) | list }}|{{ [' a '] | "
       "map('trim') | list }}|{{ ['ab'] | map('replace', 'a', 'c') | list }}|{{ [d] | map(attribute='a.b.0') | list }}",
       "B,A,C|[3, 1, 0]|['a']|['cb']|[1]"},
      {"{{ {'b': 1, 'A': 2, 'c': 0} | dictsort | map('first') | join }}|{{ {'b': 1, 'A': 2} | dictsort(true) | "
       "map('first') | join }}|{{ {'b': 1, 'A': 2} | dictsort(by='value', reverse=true) | map('last') | join }}",
       "Abc|Ab|21"},
      {"{{ list | unique | list }}|{{ ['a', 'A', 'b'] | unique | list }}|{{ list | sort }}|{{ words | sort }}|{{ words "
       "| sort(case_sensitive=true) }}|{{ list | sort(reverse=true) }}|{{ people | sort(attribute='name', "
       "reverse=true) | map(attribute='name') | join }}",
       "[3, 1, 2]|['a', 'b']|[1, 1, 2, 3]|['A', 'b', 'c']|['A', 'b', 'c']|[3, 2, 1, 1]|CybobAnn"},
      {"{{ list | reverse | list }}|{{ 'héy' | reverse }}|{{ list | sum }}|{{ people[:2] | sum(attribute='age') }}",
       "[1, 2, 1, 3]|yéh|7|4"},
      {R"~({{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\n\nb' | indent(1, blank=true) }}|{{ 'a\nb\n' | indent('> ') }})~",
       "a\n    b\n\n    c|  a\n  b|a\n \n b|a\n> b\n"},
      {R"~({{ '<a href="x">&\'' | e }})~", "&lt;a href=&#34;x&#34;&gt;&amp;&#39;"},
      {"{{ -2.5 | abs }}|{{ [1, [2]] | string }}", "2.5|[1, [2]]"},
  });
}

TEST(Jinja, Json) {
  expect_renderings({
      {"{{ d | tojson }}", R"~({"z": 1, "a": {"b": [1, 2, "ü\"\n"]}, "items": 5})~"},
      {"{{ d | tojson(indent=4) }}",
       "{\n    \"z\": 1,\n    \"a\": {\n        \"b\": [\n            1,\n            2,\n            \"ü\\\"\\n\"\n   "
       "     ]\n    },\n    \"items\": 5\n}"},
      {"{{ [[], {}, [1, [2]]] | tojson(indent=2) }}", "[\n  [],\n  {},\n  [\n    1,\n    [\n      2\n    ]\n  ]\n]"},
      {"{{ d | tojson(separators=(',', ':')) }}|{{ d | tojson(sort_keys=true) }}|{{ d | tojson(indent=0) }}",
       "{\"z\":1,\"a\":{\"b\":[1,2,\"ü\\\"\\n\"]},\"items\":5}|{\"a\": {\"b\": [1, 2, \"ü\\\"\\n\"]}, \"items\": 5, "
       "\"z\": 1}|{\n\"z\": 1,\n\"a\": {\n\"b\": [\n1,\n2,\n\"ü\\\"\\n\"\n]\n},\n\"items\": 5\n}"},
      {R"~({{ 'é😀\u0001\t\x7f/' | tojson }}|{{ none | tojson }}|{{ true | tojson }}|{{ 1.0 | tojson }}|{{ 1e22 | tojson }}|{{ 'x' | tojson | length }})~",
       "\"é😀\\u0001\\t\177/\"|null|true|1.0|1e+22|3"},
  });
}

TEST(Jinja, Methods) {
  expect_renderings({
      {R"~([{{ text.strip() }}][{{ '\n\na\n'.lstrip('\n') }}][{{ 'xay'.rstrip('yx') }}][{{ '\u00a0\u3000a\u2003'.strip() }}])~",
       "[Héllo Wörld][a\n][xa][a]"},
      {R"~({{ 'a,b,,c'.split(',') }}|{{ ' a  b '.split() }}|{{ 'a b c'.split(maxsplit=1) }}|{{ 'a,b,c'.split(',', 1) }}|{{ 'a,b,c'.rsplit(',', 1) }}|{{ ' a b  c '.rsplit(none, 1) }}|{{ ' a b  c '.split(none, 1) }}|{{ 'a\u2003b'.rsplit() }}|{{ ''.split(',') }}|{{ ''.split() }})~",
       "['a', 'b', '', 'c']|['a', 'b']|['a', 'b c']|['a', 'b,c']|['a,b', 'c']|[' a b', 'c']|['a', 'b  c ']|['a', "
       "'b']|['']|[]"},
      {R"~({{ 'a\nb\r\nc\n'.splitlines() }}|{{ '\n'.splitlines() }})~", "['a', 'b', 'c']|['']"},
      {"{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith('ab') }}{{ 'abc'.endswith(('x', 'bc')) }}", "TrueFalseTrue"},
      {R"~({{ 'aaa'.replace('a', 'b', 1) }}|{{ 'x1y'.upper() }}|{{ 'ÀB'.lower() }}|{{ 'hello wOrld it\'s'.title() }}|{{ 'hELLO'.capitalize() }})~",
       "baa|X1Y|àb|Hello World It'S|Hello"},
      {"{{ 'héllo'.find('l') }}|{{ 'héllo'.rfind('l') }}|{{ 'a'.find('z') }}|{{ 'banana'.count('an') }}|{{ "
       "'-'.join(['a', 'b']) }}|{{ '12'.isdigit() }}{{ ''.isdigit() }}{{ '1a'.isdigit() }}",
       "2|3|-1|2|a-b|TrueFalseFalse"},
      {"{{ 'prefix-x'.removeprefix('prefix-') }}|{{ 'x.py'.removesuffix('.py') }}|{{ 'x'.removesuffix('.py') }}",
       "x|x|x"},
      {"{{ d.keys() | list }}|{{ d.a.values() | list }}|{{ {'a': 1}.items() | first | last }}|{{ dict(a=1, b=2) | "
       "tojson }}",
       R"~(['z', 'a', 'items']|[[1, 2, 'ü"\n']]|1|{"a": 1, "b": 2})~"},
      {"{{ '<think>r</think>answer'.split('</think>')[0].split('<think>')[-1] }}", "r"},
  });
}

}  // namespace
}  // namespace agro::detail::jinja
