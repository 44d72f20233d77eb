#include "reward/math/hendrycks.h"

#include <gtest/gtest.h>

#include "reward/math/budget.h"

namespace agro {
namespace {

TEST(HendrycksNormal, WritesStringsAlike) {
  for (const auto& [text, normal] : std::initializer_list<std::pair<const char*, const char*>>{
           {"\\tfrac 3 4", "\\frac{3}{4}"},
           {"\\dfrac34 + \\frac1{20}", "\\frac{3}{4}+\\frac{1}{20}"},
           {"x = 7", "7"},
           {"area = 7", "area=7"},
           {"a = b = 7", "a=b=7"},
           {"3/4", "\\frac{3}{4}"},
           {"x/4", "x/4"},
           {"0.5", "\\frac{1}{2}"},
           {"0.50", "0.50"},
           {".75", "0.75"},
           {"\\sqrt7", "\\sqrt{7}"},
           {"\\left[0, 1\\right)", "[0,1)"},
           {"45^\\circ", "45"},
           {"12\\text{ square feet}", "12"},
           {"\\text{east}", "\\text{east}"},
           {"\\$3\\%", "3"}})
    EXPECT_EQ(hendrycks_normal(text), normal) << text;
  EXPECT_THROW(hendrycks_normal("1\\text{ m} 2\\text{ cm}"), Undecided);
}

TEST(Hendrycks, ComparesStringsNotValues) {
  EXPECT_EQ(verify_hendrycks("\\frac{1}{2}", "0.5").equal, true);
  EXPECT_EQ(verify_hendrycks("\\frac{1}{4}", "0.25").equal, false);
  EXPECT_EQ(verify_hendrycks("x+1", "1+x").equal, false);
  EXPECT_EQ(verify_hendrycks("9", "so $\\boxed{9}$").equal, true);
  EXPECT_EQ(verify_hendrycks("1\\text{ m} 2\\text{ cm}", "1\\text{ m} 2\\text{ cm}").equal, true);
  EXPECT_EQ(verify_hendrycks("", "1").equal, false);
}

}  // namespace
}  // namespace agro
