// Odd and hostile answers: every policy gives a verdict, and the work stays within its bound.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "reward/math/parser.h"
#include "reward/math/random_answers_test.h"
#include "reward/verify.h"

namespace agro {
namespace {

constexpr size_t kLength = 10'000;

std::string repeated(std::string_view part, size_t length = kLength) {
  std::string text;
  while (text.size() + part.size() <= length) text += part;
  return text;
}

std::vector<std::string> hostile() {
  std::vector<std::string> texts;
  for (const std::string_view part : {"9",
                                      "(",
                                      ")",
                                      "{",
                                      "}",
                                      "\\boxed{",
                                      "$",
                                      "$$",
                                      "\\(",
                                      "\\frac",
                                      "\\frac{1}{",
                                      "\\sqrt{",
                                      "x+",
                                      "1/7+",
                                      "x^",
                                      "2^",
                                      "9^9^",
                                      "-",
                                      "!",
                                      "%",
                                      "'",
                                      "x_",
                                      "|",
                                      "\\text{",
                                      "\\text{1\\text{",
                                      "answer is ",
                                      "answer: ",
                                      "#### ",
                                      "1,",
                                      "1,234,",
                                      "a ",
                                      "I hope ",
                                      "final answer is ",
                                      "\\begin{pmatrix}",
                                      "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
                                      "\\cup(1,2)",
                                      "x<",
                                      "x=",
                                      "x=1,",
                                      "\\pm ",
                                      "\\pm 1,",
                                      "(x+y)",
                                      "(x+1/3)^9",
                                      "\\sin ",
                                      "\\sin x+",
                                      "e^{x}+",
                                      "\\sqrt{x+1}+",
                                      "\\ln ",
                                      "f(",
                                      "x!+",
                                      "\\sum_{k}",
                                      "\\left(",
                                      "\\\\",
                                      "\\quad",
                                      "½",
                                      "²",
                                      "\xFF",
                                      "𝟛",
                                      "(1,2),",
                                      "[1,2)U",
                                      "\\{1,2\\},",
                                      "1:2:",
                                      ".",
                                      ". ",
                                      "\\overline{3}",
                                      "0.\\overline{12}",
                                      "\\text{a}",
                                      "|x|+",
                                      "\\binom{9}{4}+",
                                      "1000!+",
                                      "abcdefghij ",
                                      "\n",
                                      "\\!"}) {
    texts.push_back(repeated(part));
    texts.push_back(repeated(part, kLength / 2) + "1");
  }
  std::string primes, sets = "\\{";
  for (int i = 2; primes.size() < kLength; ++i) primes += "+1/" + std::to_string(2 * i * i * i + 1);
  for (int i = 0; sets.size() < kLength; ++i) sets += "\\sqrt{" + std::to_string(i) + "},";
  texts.push_back(primes);
  texts.push_back(sets + "1\\}");
  // Products and units that once nested or copied what was read before them.
  texts.push_back(repeated("cm*") + "\\begin{pmatrix}1");
  texts.push_back(repeated("12 cm "));
  texts.push_back(repeated("cm(1,2)"));
  texts.push_back(repeated("1e400% "));
  texts.push_back("(x+y+z+w+1)^{60}");
  texts.push_back("\\sqrt{" + repeated("\\sqrt{", 240) + "2" + repeated("}", 41));
  texts.push_back("10^{10^{10^{10}}}");
  texts.push_back("e^{e^{e^{e^{e^9}}}}");
  texts.push_back("(10^{18})!");
  return texts;
}

TEST(WorstCase, EveryPolicyGivesAVerdict) {
  for (const std::string& text : hostile()) {
    for (const std::string& policy : verifier_names()) {
      EXPECT_NO_THROW(verify(policy, text, text + " ")) << policy << ": " << text.substr(0, 40);
      EXPECT_NO_THROW(verify(policy, "\\frac{1}{2}", text)) << policy << ": " << text.substr(0, 40);
      EXPECT_NO_THROW(verify(policy, text, "x + \\sqrt{2}")) << policy << ": " << text.substr(0, 40);
    }
  }
}

TEST(WorstCase, ParsingIsLinear) {
  for (const std::string_view part : {"x+", "12 x^2 +", "\\frac{1}{2}+", "(1,2),", "\\sin x+", "\\text{a b}, "}) {
    const auto work = [&](size_t length) {
      Budget budget(Budget::kReading);
      parse_math(repeated(part, length) + "1", budget);
      return budget.spent();
    };
    EXPECT_LE(work(8'000), 9 * work(1'000)) << part;
  }
}

/// Random edits of random answers. AGRO_FUZZ_CASES asks for more than the few of a normal run.
TEST(WorstCase, DamagedAnswers) {
  const char* wanted = std::getenv("AGRO_FUZZ_CASES");
  const int64_t cases = wanted != nullptr ? std::atoll(wanted) : 3'000;
  const uint64_t seed = std::random_device{}();
  RandomAnswers random(seed);
  constexpr std::string_view kBytes = "\\{}()[]|$%^_&,;:=<>!+-*/.0123456789 xyefi\n\xE2\x88\x92\xFF";
  for (int64_t i = 0; i < cases; ++i) {
    std::string text = random.answer() + random.pick({"", " ", "\\boxed{", " answer is "}) + random.answer();
    for (uint64_t edits = random.below(8); edits > 0 && !text.empty(); --edits) {
      const size_t place = random.below(text.size());
      if (random.below(2) == 0) {
        text[place] = kBytes[random.below(kBytes.size())];
      } else {
        text.erase(place, random.below(4));
      }
    }
    const std::string other = random.answer();
    for (const std::string& policy : verifier_names())
      EXPECT_NO_THROW(verify(policy, other, text)) << policy << ": " << text << ", seed " << seed;
    for (const char* policy : {"strict", "lenient"}) {
      const Verdict one = verify(policy, other, text), swapped = verify(policy, text, other);
      if (!swapped.equal && !swapped.undecided) continue;  // no answer left: open as gold, wrong as prediction
      EXPECT_EQ(one.equal, swapped.equal) << policy << ": " << other << " and " << text << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace agro
