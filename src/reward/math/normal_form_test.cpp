#include "reward/math/normal_form.h"

#include <gtest/gtest.h>

#include "reward/math/evaluate.h"
#include "reward/math/parser.h"

namespace agro {
namespace {

bool same(std::string_view a, std::string_view b) {
  Budget budget;
  NormalForms forms(budget);
  return forms.same(forms.of(parse_math(a, budget)), forms.of(parse_math(b, budget)));
}

/// Certain that the values differ at a point.
bool differ(std::string_view a, std::string_view b, int point = 0) {
  Budget budget;
  return evaluate(difference_of(parse_math(a, budget), parse_math(b, budget)), point, 192, budget).is_nonzero();
}

using Pairs = std::initializer_list<std::pair<const char*, const char*>>;

TEST(NormalForm, OneFormForEqualFormulas) {
  for (const auto& [a, b] : Pairs{{"1/2+1/3", "5/6"},
                                  {"0.125", "\\frac18"},
                                  {"x^2+2x+1", "(x+1)^2"},
                                  {"\\frac{x^2-1}{x-1}", "x+1"},
                                  {"\\frac{x+2}{7}", "\\frac{x}{7}+\\frac{2}{7}"},
                                  {"\\frac1x+\\frac1y", "\\frac{x+y}{xy}"},
                                  {"\\sqrt{12}", "2\\sqrt3"},
                                  {"\\frac{1}{\\sqrt2}", "\\frac{\\sqrt2}{2}"},
                                  {"\\frac{1}{1+\\sqrt2}", "\\sqrt2-1"},
                                  {"\\sqrt[3]{-8}", "-2"},
                                  {"\\sqrt[3]{16}", "2\\sqrt[3]{2}"},
                                  {"4^{1/4}", "\\sqrt2"},
                                  {"8^{2/3}", "4"},
                                  {"\\frac{5\\sqrt{42}}{27}", "\\frac{10\\sqrt{10.5}}{27}"},
                                  {"\\sqrt{-4}", "2i"},
                                  {"(1+i)^2", "2i"},
                                  {"i^{-1}", "-i"},
                                  {"\\sqrt{4x+4}", "2\\sqrt{x+1}"},
                                  {"\\sqrt{x+1}^3", "(x+1)\\sqrt{x+1}"},
                                  {"x\\sqrt{x}", "x^{3/2}"},
                                  {"2^{n+1}", "2\\cdot2^n"},
                                  {"e^{2x}", "(e^x)^2"},
                                  {"4^n", "2^{2n}"},
                                  {"e^{i\\pi}", "-1"},
                                  {"\\ln 8", "3\\ln 2"},
                                  {"\\log_2 32", "5"},
                                  {"\\log 1000", "3"},
                                  {"\\ln\\frac{e^2}{3}", "2-\\ln 3"},
                                  {"\\sin^2 x+\\cos^2 x", "1"},
                                  {"\\tan^2 y+1", "\\sec^2 y"},
                                  {"\\sin(-x)", "-\\sin x"},
                                  {"\\sin\\frac{\\pi}{3}", "\\frac{\\sqrt3}{2}"},
                                  {"\\cos 120^\\circ", "-\\frac12"},
                                  {"\\tan\\frac{3\\pi}{4}", "-1"},
                                  {"\\cos\\frac{\\pi}{12}", "\\frac{\\sqrt6+\\sqrt2}{4}"},
                                  {"5!", "120"},
                                  {"\\binom{5}{2}", "10"},
                                  {"\\left|-3\\right|", "3"},
                                  {"50\\%", "\\frac12"},
                                  {"180^\\circ", "\\pi"},
                                  {"f(x+1)", "f(1+x)"},
                                  {"\\lfloor -2.5 \\rfloor", "-3"}}) {
    EXPECT_TRUE(same(a, b)) << a << " and " << b;
    EXPECT_FALSE(differ(a, b)) << a << " and " << b;
  }
}

TEST(NormalForm, DifferentFormulasAreProvedDifferent) {
  for (const auto& [a, b] : Pairs{{"1/3", "0.3333333333"},
                                  {"x+1", "x+2"},
                                  {"\\sqrt2", "1.41421356237309504880"},
                                  {"(x+y)^2", "x^2+y^2"},
                                  {"\\frac{1+\\sqrt5}{2}", "2"},
                                  {"\\sqrt{x+y}", "\\sqrt{x}+\\sqrt{y}"},
                                  {"f(x)", "f(y)"},
                                  {"f(x)", "g(x)"},
                                  {"\\pi", "\\frac{22}{7}"},
                                  {"\\ln(x+y)", "\\ln x+\\ln y"},
                                  {"2^{100}+1", "2^{100}"},
                                  {"x", "y"}}) {
    EXPECT_FALSE(same(a, b)) << a << " and " << b;
    EXPECT_TRUE(differ(a, b)) << a << " and " << b;
  }
  EXPECT_TRUE(differ("\\sqrt{x^2}", "x", 4) || differ("\\sqrt{x^2}", "x", 5) || differ("\\sqrt{x^2}", "x", 6));
  EXPECT_FALSE(differ("\\sqrt{x^2}", "x", 0));
}

TEST(NormalForm, RefusesWhatIsNotDefinedOrTooLarge) {
  for (const char* text :
       {"1/0", "1/(x-x)", "0^{-1}", "\\ln 0", "\\tan 90^\\circ", "9^{9^{9^9}}", "\\text{blue}+1", "\\infty"}) {
    EXPECT_THROW(same(text, text), Undecided) << text;
    EXPECT_THROW(differ(text, "1"), Undecided) << text;
  }
  EXPECT_THROW(same("(x+y+z+1)^{400}", "1"), Undecided);
  EXPECT_THROW(differ("1001!!!", "1"), Undecided);
}

}  // namespace
}  // namespace agro
