#include "reward/math/parser.h"

#include <gtest/gtest.h>

namespace agro {
namespace {

std::string read(std::string_view text) {
  Budget budget;
  try {
    return to_string(parse_math(text, budget));
  } catch (const Undecided& problem) {
    return std::string("undecided: ") + problem.what();
  }
}

using Pairs = std::initializer_list<std::pair<const char*, const char*>>;

TEST(ParseMath, Numbers) {
  for (const auto& [text, tree] : Pairs{{"1,234,567.5", "2469135/2"},
                                        {"12,\\!000,\\!023", "12000023"},
                                        {"1{,}000", "1000"},
                                        {"10 000", "10000"},
                                        {"(12,102)", "(12, 102)"},
                                        {"1,22", "1, 22"},
                                        {".5", "1/2"},
                                        {"42.", "42"},
                                        {"1.5e-3", "3/2000"},
                                        {"918\\frac{1}{2}", "1837/2"},
                                        {"2 3/4", "11/4"},
                                        {"3\\frac{7}{2}", "(3*(7/2))"},
                                        {"0.1\\overline{6}", "1/6"},
                                        {"0.\\overline{142857}", "1/7"},
                                        {"\\$18", "18 $"},
                                        {"٣٫٥", "7/2"},
                                        {"４２", "42"},
                                        {"½", "(1/2)"}})
    EXPECT_EQ(read(text), tree) << text;
}

TEST(ParseMath, LatexAsItIsWritten) {
  for (const auto& [text, tree] : Pairs{{"\\frac12", "(1/2)"},
                                        {"\\frac1{72}", "(1/72)"},
                                        {"\\dfrac{a}b", "(a/b)"},
                                        {"\\nicefrac{a}{b}", "(a/b)"},
                                        {"\\sfrac{a}{b}", "(a/b)"},
                                        {"\\\\frac{1}{2}", "(1/2)"},
                                        {"\\sqrt3x", "(root(3, 2)*x)"},
                                        {"\\sqrt[3]{2}", "root(2, 3)"},
                                        {"sqrt12", "root(12, 2)"},
                                        {"sqrt(x+1)^2", "(root((x + 1), 2)^2)"},
                                        {"\\left( x-2 \\right)\\left(x+2\\right)", "((x + -2)*(x + 2))"},
                                        {"((((1", "1"},
                                        {"\\frac{1}{2", "(1/2)"},
                                        {"185\\", "185"},
                                        {"2^10", "(2^10)"},
                                        {"-x^2", "(-(x^2))"},
                                        {"2^{3^2}", "(2^(3^2))"},
                                        {"x_{12}'", "x_12'"},
                                        {"\\sin^2 x", "(sin(x)^2)"},
                                        {"\\sin^{-1} x", "arcsin(x)"},
                                        {"\\sin 2x\\cos x", "(sin((2*x))*cos(x))"},
                                        {"\\log_2 8", "log(8, 2)"},
                                        {"|x-2||y|", "(abs((x + -2))*abs(y))"},
                                        {"||x|-1|", "abs((abs(x) + -1))"},
                                        {"3\\pir", "(3*pi*r)"},
                                        {"1/2x", "((1/2)*x)"},
                                        {"8/4/2", "((8/4)*(1/2))"},
                                        {"10!", "factorial(10)"},
                                        {"x² − 4", "((x^2) + -4)"},
                                        {"√12", "root(12, 2)"},
                                        {"3 \\pm 2\\sqrt{2}", "(3 + ±(2*root(2, 2)))"}})
    EXPECT_EQ(read(text), tree) << text;
}

TEST(ParseMath, SetsRelationsAndWords) {
  for (const auto& [text, tree] : Pairs{{"(1,2]", "(1, 2]"},
                                        {"\\{1,2\\}", "{1, 2}"},
                                        {"{1,2}", "{1, 2}"},
                                        {"\\{x | x > 0\\}", "x > 0"},
                                        {"(-\\infty,0)\\cup(0,\\infty)", "((-infinity), 0) ∪ (0, infinity)"},
                                        {"\\mathbb{R} \\setminus \\{0\\}", "reals \\ {0}"},
                                        {"1\\leq|z|\\leq \\frac{3}{2}", "1 <= abs(z) <= (3/2)"},
                                        {"x \\not= 3", "x != 3"},
                                        {"x \\in [-2,7]", "x in [-2, 7]"},
                                        {"12\\text{ and }13", "12 and 13"},
                                        {"x = 1 or x = 2", "x = 1 or x = 2"},
                                        {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "matrix (1, 2) (3, 4)"},
                                        {"7:32", "7 : 32"},
                                        {"90^\\circ", "90 °"},
                                        {"10\\%", "10 %"},
                                        {"15\\mbox{ cm}^2", "15 cm^2"},
                                        {"60 km/h", "60 km/h"},
                                        {"35 cm", "35 cm"},
                                        {"\\text{(C)}", "C"},
                                        {"Even", "\"Even\""},
                                        {"f(x+1)", ".f((x + 1))"}})
    EXPECT_EQ(read(text), tree) << text;
}

TEST(ParseMath, SaysWhatItCannotRead) {
  EXPECT_EQ(read(""), "undecided: there is no answer");
  EXPECT_EQ(read("1 +"), "undecided: the formula breaks off");
  EXPECT_EQ(read("1 ) 2"), "undecided: unexpected \")\"");
  EXPECT_EQ(read(std::string(5'000, '(') + "1"), "undecided: nested too deep");
  EXPECT_EQ(read("x" + std::string(5'000, '!')), "undecided: nested too deep");
  std::string tower = "2";
  for (int i = 0; i < 3'000; ++i) tower += "^2";
  EXPECT_EQ(read(tower), "undecided: nested too deep");
}

}  // namespace
}  // namespace agro
