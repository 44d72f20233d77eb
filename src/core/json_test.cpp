#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class JsonTest : public TestFolder {
 protected:
  Path file(std::string_view text) const {
    write_atomically(folder_ / "x.jsonl", text);
    return folder_ / "x.jsonl";
  }
};

TEST_F(JsonTest, NumbersLinesFromOneAndSkipsEmptyOnes) {
  std::vector<int64_t> lines, values;
  for_each_jsonl(file("{\"v\":1}\r\n\n  \t\n{\"v\":2}\n{\"v\":3}"), [&](const Json& record, int64_t line) {
    lines.push_back(line);
    values.push_back(record.at("v"));
  });
  EXPECT_THAT(lines, ElementsAre(1, 4, 5));
  EXPECT_THAT(values, ElementsAre(1, 2, 3));
}

TEST_F(JsonTest, ABrokenLineIsNamed) {
  const auto read = [&](std::string_view text) {
    for_each_jsonl(file(text), [](const Json& record, int64_t) { static_cast<void>(record.at("v").get<int>()); });
  };
  EXPECT_THAT(
      [&] { read("{\"v\":1}\n{\"v\":\n2}\n"); },
      ThrowsMessage<Error>(AllOf(HasSubstr("x.jsonl: line 2: is not valid JSON"), HasSubstr("hint: every line"))));
  EXPECT_THAT([&] { read("{\"v\":1} {\"v\":2}\n"); }, ThrowsMessage<Error>(HasSubstr("x.jsonl: line 1: is not valid")));
  EXPECT_THAT([&] { read("\n\n{\"v\":\"\xFF\"}"); }, ThrowsMessage<Error>(HasSubstr("x.jsonl: line 3: is not valid")));
  EXPECT_THAT([&] { read("{\"v\":1}\n{\"w\":1}\n"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("x.jsonl: line 2: has unexpected content"), HasSubstr("'v'"))));
}

TEST_F(JsonTest, AnErrorOfTheVisitorGetsTheLine) {
  EXPECT_THAT(
      [&] {
        for_each_jsonl(file("{}\n{}"), [](const Json&, int64_t line) {
          if (line == 2) throw fail("no answer");
        });
      },
      ThrowsMessage<Error>(HasSubstr("x.jsonl: line 2: no answer")));
}

TEST_F(JsonTest, AWholeFileNamesThePosition) {
  EXPECT_THAT([&] { read_json(file("{\n\"a\": 1,\n}")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("x.jsonl: is not valid JSON"), HasSubstr("line 3"))));
}

TEST_F(JsonTest, OrderedJsonKeepsTheOrderOfKeys) {
  EXPECT_EQ(to_line(read_ordered_json(file("{\"b\":1,\"a\":2}"))), "{\"b\":1,\"a\":2}");
}

TEST_F(JsonTest, DeepNestingNeitherOverflowsNorThrowsAnythingElse) {
  const std::string deep(200000, '[');
  EXPECT_THROW(read_json(file(deep)), Error);
  EXPECT_NO_THROW(read_json(file(deep + std::string(200000, ']'))));
}

TEST_F(JsonTest, ALineOfOutputIsAlwaysValidUtf8OnOneLine) {
  EXPECT_EQ(to_line(Json{{"t", "a\nb\xC3"}}), "{\"t\":\"a\\nb\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace agro
