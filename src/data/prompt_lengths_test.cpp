#include "data/prompt_lengths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_error.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(PromptLengths, CountsThePromptsWithoutRoom) {
  PromptLengths lengths("a.jsonl", 5);
  EXPECT_TRUE(lengths.fits(TokenIds(4, 1)));
  EXPECT_TRUE(lengths.fits(TokenIds(5, 1))) << "the last token of a response needs no position";
  EXPECT_EQ(lengths.describe("left out"), "");
  EXPECT_FALSE(lengths.fits(TokenIds(6, 1)));
  EXPECT_EQ(lengths.describe("left out"),
            "1 of 3 prompts of a.jsonl is left out: longer than the model's 5 positions (the longest has 6 tokens); "
            "shorten them, or use a model with a longer context");
  EXPECT_FALSE(lengths.fits(TokenIds(9, 1)));
  EXPECT_FALSE(lengths.fits(TokenIds(7, 1)));
  EXPECT_EQ(lengths.too_long(), 3);
  EXPECT_THAT(lengths.describe("counted as wrong"),
              AllOf(HasSubstr("3 of 5 prompts of a.jsonl are counted as wrong: "), HasSubstr("has 9 tokens")));
  EXPECT_NO_THROW(lengths.require_one_that_fits());
}

TEST(PromptLengths, NoneThatFitsIsAnError) {
  PromptLengths lengths("a.jsonl", 5);
  EXPECT_NO_THROW(lengths.require_one_that_fits()) << "there was no prompt yet";
  lengths.fits(TokenIds(6, 1));
  lengths.fits(TokenIds(7, 1));
  EXPECT_THAT(
      error_of([&] { lengths.require_one_that_fits(); }),
      AllOf(HasSubstr("a.jsonl: no prompt fits into the model's 5 positions: found 2, the longest has 7 tokens"),
            HasSubstr("hint: shorten them")));
}

}  // namespace
}  // namespace agro
