#include "reward/number.h"

#include <gtest/gtest.h>

#include <limits>

namespace agro {
namespace {

std::string last(std::string_view text) {
  const std::optional<Decimal> number = last_number(text);
  return number ? number->to_string() : "none";
}

bool agree(std::string_view a, std::string_view b, double tolerance = 0, double relative = 0) {
  return numbers_agree(last_number(a).value(), last_number(b).value(), tolerance, relative);
}

TEST(LastNumber, IsFoundInRunningText) {
  EXPECT_EQ(last("The answer is 42."), "42");
  EXPECT_EQ(last("2 apples, 3 pears"), "3");
  EXPECT_EQ(last("so <<16-3-4=9>>9 eggs at $2 make $18"), "18");
  EXPECT_EQ(last("it costs $.50"), "0.5");
  EXPECT_EQ(last("x is .25"), "0.25");
  EXPECT_EQ(last("chapter 7.\nNo.5"), "5");
  EXPECT_EQ(last("50%"), "50");
  EXPECT_EQ(last("1/2"), "2");
  EXPECT_EQ(last("no digits here, e or . or -"), "none");
  EXPECT_EQ(last(""), "none");
}

TEST(LastNumber, ReadsThousandsSeparatorsOnlyWhereTheyCanBeOnes) {
  EXPECT_EQ(last("1,234,567.5"), "1234567.5");
  EXPECT_EQ(last("$1,000,"), "1000");
  EXPECT_EQ(last("1,2"), "2");
  EXPECT_EQ(last("1,2345"), "2345");
  EXPECT_EQ(last("1234,567"), "567");
  EXPECT_EQ(last("0,125"), "125");
  EXPECT_EQ(first_number("1,234,56", Commas::kThousands)->value.to_string(), "1234");
  EXPECT_EQ(first_number("10,00,000", Commas::kIgnored)->value.to_string(), "1000000");
  EXPECT_EQ(first_number("1,2", Commas::kIgnored)->value.to_string(), "12");
}

TEST(LastNumber, GivesASignToANumberThatStandsAlone) {
  EXPECT_EQ(last("-4"), "-4");
  EXPECT_EQ(last("\u22124"), "-4");
  EXPECT_EQ(last("-$4"), "-4");
  EXPECT_EQ(last("$-4"), "-4");
  EXPECT_EQ(last("-\\$4"), "-4");
  EXPECT_EQ(last("-€4"), "-4");
  EXPECT_EQ(last("= -4"), "-4");
  EXPECT_EQ(last("(-4)"), "-4");
  EXPECT_EQ(last("+4"), "4");
  EXPECT_EQ(last("7-4"), "4");
  EXPECT_EQ(last("x-4"), "4");
  EXPECT_EQ(last("(1+2)-4"), "4");
  EXPECT_EQ(last("- 4"), "4");
  const FoundNumber found = first_number("is -$4!", Commas::kThousands).value();
  EXPECT_EQ(found.begin, 3U);
  EXPECT_EQ(found.end, 6U);
}

TEST(LastNumber, ReadsExponents) {
  EXPECT_EQ(last("1e3"), "1000");
  EXPECT_EQ(last("1.5E-3"), "0.0015");
  EXPECT_EQ(last("2e\u22122"), "0.02");
  EXPECT_EQ(last("3em"), "3");
  EXPECT_EQ(last("3e5x"), "5");
  // Ten exponent digits are none: the value could not be told apart from its neighbours.
  EXPECT_EQ(last("1e1234567890"), "1234567890");
  EXPECT_EQ(last("1e999999999"), "0.1e1000000000");
}

TEST(NumbersAgree, ComparesExactlyWithoutTolerance) {
  for (const auto& [a, b] : std::initializer_list<std::pair<const char*, const char*>>{{"1,000", "1000.0"},
                                                                                       {"-0", "0"},
                                                                                       {"3.50", "3.5"},
                                                                                       {"1e3", "1000"},
                                                                                       {"0.001", "1e-3"},
                                                                                       {"007", "7"},
                                                                                       {"0.0", "0e5"},
                                                                                       {"$1,234.5", "1234.50"},
                                                                                       {"\u22125", "-5.0"},
                                                                                       {"10e-1", "1"}})
    EXPECT_TRUE(agree(a, b)) << a << " and " << b;
  for (const auto& [a, b] :
       std::initializer_list<std::pair<const char*, const char*>>{{"5", "-5"},
                                                                  {"0.1", "0.10000000000000000001"},
                                                                  {"9007199254740993", "9007199254740992"},
                                                                  {"1", "10"},
                                                                  {"1e999999999", "1e999999998"}})
    EXPECT_FALSE(agree(a, b)) << a << " and " << b;
}

TEST(NumbersAgree, WithinTheLargerTolerance) {
  EXPECT_TRUE(agree("1", "1.1", 0.1));  // 1.1 - 1 is above 0.1 in float64
  EXPECT_FALSE(agree("1", "1.1000001", 0.1));
  EXPECT_TRUE(agree("1000", "1009", 0, 0.01));
  EXPECT_FALSE(agree("1000", "1011", 0, 0.01));
  EXPECT_TRUE(agree("1000", "1011", 11, 0.01));
  EXPECT_TRUE(agree("-1000", "-1009", 0, 0.01));
  EXPECT_FALSE(agree("1e500", "1", 1, 1)) << "no tolerance reaches beyond float64";
  EXPECT_TRUE(agree("1e500", "10e499", 1));
}

TEST(Decimal, ConvertsToTheNearestFloat) {
  EXPECT_EQ(last_number("0.1")->to_double(), 0.1);
  EXPECT_EQ(last_number("-12345.678e-2")->to_double(), -123.45678);
  EXPECT_EQ(last_number("0")->to_double(), 0.0);
  EXPECT_EQ(last_number("-1e400")->to_double(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(last_number("1e-400")->to_double(), 0.0);
}

TEST(Decimal, SurvivesHugeInputInLinearTime) {
  const std::string digits(2'000'000, '9');
  EXPECT_EQ(last_number(digits)->exponent, 2'000'000);
  EXPECT_EQ(last_number("0." + std::string(2'000'000, '0') + "1")->exponent, -2'000'000);
  EXPECT_LT(last_number(digits)->to_string().size(), 50U);
  std::string many, commas = "1", dots;
  for (int i = 0; i < 300'000; ++i) {
    many += "1e1234567890 ";
    commas += ",111";
    dots += "1.";
  }
  EXPECT_EQ(last(many), "1234567890");
  EXPECT_EQ(last_number(commas)->exponent, 900'001);
  EXPECT_EQ(last(dots + "17"), "17");
}

}  // namespace
}  // namespace agro
