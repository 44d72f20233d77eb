#include "reward/math/extract.h"

#include <gtest/gtest.h>

#include "reward/math/choice.h"

namespace agro {
namespace {

std::string best(std::string_view text, Extraction extraction) {
  const std::vector<Candidate> found = find_answers(text, extraction);
  return found.empty() ? "nothing" : found[0].text;
}

TEST(BoxedAnswer, TakesTheLastAndThoseThatBelongToIt) {
  EXPECT_EQ(boxed_answer("first \\boxed{1}, no: \\boxed{\\frac{1}{2}}.", 0), "\\frac{1}{2}");
  EXPECT_EQ(boxed_answer("\\boxed{a \\boxed{b}}", 0), "b");
  EXPECT_EQ(boxed_answer("\\boxed{1} and \\boxed{2}", 0), "1, 2");
  EXPECT_EQ(boxed_answer("$\\boxed{x=1}$ \\quad \\text{or} \\quad $\\boxed{x=2}$", 0), "x=1, x=2");
  EXPECT_EQ(boxed_answer("\\boxed{1} cats, \\boxed{2} dogs", 0), "2");
  EXPECT_EQ(boxed_answer("\\boxed{1} cats, \\boxed{2} dogs", 16), "1, 2");
  EXPECT_EQ(boxed_answer("\\boxed{1}. Wait. \\boxed{2}", 16), "2");
  EXPECT_EQ(boxed_answer("\\boxed{\\{1\\}}", 0), "\\{1\\}");
  EXPECT_EQ(boxed_answer("\\boxed{3", 0), "3") << "the response was cut";
  EXPECT_EQ(boxed_answer("\\boxed 5$", 0), "5");
  EXPECT_EQ(boxed_answer("no box", 0), "");
}

TEST(FindAnswers, MarksComeFirst) {
  EXPECT_EQ(best("4 + 4 = \\boxed{8} #### 9", Extraction::kMarked), "8");
  EXPECT_EQ(best("9*2 = 18\n#### 18", Extraction::kMarked), "18");
  EXPECT_EQ(best("So the answer is $\\frac{3}{4}$, as 3 of 4 win.", Extraction::kMarked), "\\frac{3}{4}");
  EXPECT_EQ(best("**Final Answer:** 42.", Extraction::kMarked), "42");
  EXPECT_EQ(best("The answer is 3.14. I am sure.", Extraction::kMarked), "3.14");
  EXPECT_EQ(best("The answers are many. 3", Extraction::kMarked), "The answers are many. 3");
  EXPECT_EQ(best(" 1/2 ", Extraction::kMarked), "1/2");
  EXPECT_EQ(best("", Extraction::kMarked), "nothing");
}

TEST(FindAnswers, ThenFormulasAndNumbers) {
  EXPECT_EQ(best("We see that $x = 3$, hence $2x = 6$ in step 2.", Extraction::kAnywhere), "2x = 6");
  EXPECT_EQ(best("We see that $x = 3$, hence $2x = 6$ in step 2.", Extraction::kMathVerify), "2");
  EXPECT_EQ(best("The roots are $1$, $2$ and $3$ then.", Extraction::kAnywhere), "1, 2, 3");
  EXPECT_EQ(best("The loss is $28$ % of it.", Extraction::kAnywhere), "28\\%");
  EXPECT_EQ(best("She makes 9 * 2 = 18 dollars, so it is 1/2 of it", Extraction::kAnywhere), "1/2");
  EXPECT_EQ(best("It is about -1,072.50 in all.", Extraction::kAnywhere), "-1,072.50");
  EXPECT_EQ(best("The code is AZYUK2A", Extraction::kAnywhere), "The code is AZYUK2A");
  EXPECT_EQ(best("x^2 + 1", Extraction::kAnywhere), "x^2 + 1");
}

TEST(LastChoice, IsALetterByItself) {
  EXPECT_EQ(choice_in("I think that (B) is right, not the others."), "B");
  EXPECT_EQ(choice_in("\\textbf{(D)}\\ 12"), "D");
  EXPECT_EQ(choice_in("Option C."), "C");
  EXPECT_EQ(choice_in("A dog; I saw it"), "");
  EXPECT_EQ(choice_in("(A) A dog"), "A");
  EXPECT_EQ(choice_in("(Z)"), "");
  EXPECT_EQ(choice_in("A because (B) is wrong"), "A");
  EXPECT_EQ(choice_in("A) 21"), "A");
  EXPECT_EQ(choice_in("I choose A."), "A");
  EXPECT_EQ(choice_in("(A) 12 (B) 15, so (B)"), "B");
}

TEST(FindAnswers, MathVerifyPrefersTheSentenceOfItsPrompt) {
  const std::string_view text = "\\boxed{255} Final Answer: The final answer is $10,455$. I hope it is correct.";
  EXPECT_EQ(best(text, Extraction::kMathVerify), "10,455");
  EXPECT_EQ(best(text, Extraction::kAnywhere), "255");
}

}  // namespace
}  // namespace agro
