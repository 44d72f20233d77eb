#include "core/error.h"

#include <gtest/gtest.h>

#include <utility>

namespace agro {
namespace {

TEST(Error, MessageAlone) { EXPECT_STREQ(fail("expected {} rows, found {}", 3, 4).what(), "expected 3 rows, found 4"); }

TEST(Error, PlacesReadFromTheOutside) {
  Error error("bad dtype");
  error.at("tensor 'x'").at("model.safetensors");
  EXPECT_STREQ(error.what(), "model.safetensors: tensor 'x': bad dtype");
  EXPECT_EQ(error.message(), "bad dtype");
}

TEST(Error, HintStaysLastWhenPlacesAreAddedOnTheWayUp) {
  try {
    try {
      throw fail("is missing").hint("create it").at("answer");
    } catch (Error& error) {
      throw std::move(error).at("prompts.jsonl: line 2");
    }
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "prompts.jsonl: line 2: answer: is missing\n  hint: create it");
  }
}

TEST(Error, UserTextIsNeverAFormatString) {
  EXPECT_STREQ(Error("a {} b").at("{0}").hint("{x}").what(), "{0}: a {} b\n  hint: {x}");
}

}  // namespace
}  // namespace agro
