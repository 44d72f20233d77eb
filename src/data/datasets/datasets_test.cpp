// Data sets in the layouts of their authors, with contents of our own; the real ones where they are at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/test_folder.h"
#include "data/datasets/formats.h"
#include "data/prompts.h"
#include "data/test_support.h"

namespace agro {
namespace {

using testing::HasSubstr;

std::vector<PromptRecord> read(std::string_view content, const PromptOptions& options = {},
                               const std::string& name = "set.jsonl") {
  return read_prompts(test_file(name, content), options);
}

TEST(Datasets, Gsm8k) {
  const auto prompts =
      read(R"({"question": "How many eggs?", "answer": "6 * 2 = <<6*2=12>>12\n12 * 100 = 1200\n#### 1,200"})"
           "\n"
           R"({"question": "And now?", "answer": "#### -3\n"})");
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_EQ(prompts[0].text, "How many eggs?");
  EXPECT_EQ(prompts[0].answer, "1200");
  EXPECT_THAT(prompts[0].record["answer"].get<std::string>(), HasSubstr("6 * 2"));  // for supervised training
  EXPECT_EQ(prompts[1].answer, "-3");
  EXPECT_EQ(prompts[1].id, "line-2");
}

class DatasetFolder : public TestFolder {
 protected:
  void add(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_atomically(folder_ / name, content);
  }
};

TEST_F(DatasetFolder, MathAsOneFileForEachProblem) {
  add("train/geometry/2.json",
      "{\n  \"problem\": \"What is $\\\\pi r^2$ for $r = 2$?\",\n  \"level\": \"Level 2\",\n  \"type\": \"Geometry\",\n"
      "  \"solution\": \"It is \\\\boxed{3} no, \\\\boxed{4\\\\pi}.\"\n}\n");
  add("train/algebra/1.json", R"({"problem": "Half?", "level": "Level 1", "type": "Algebra",
    "solution": "So $x = \\boxed{\\frac{1}{\\sqrt{4}}}$, done."})");
  add("README.md", "not data");
  const auto prompts = read_prompts(folder_);
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_EQ(prompts[0].id, "train/algebra/1.json");
  EXPECT_EQ(prompts[0].text, "Half?");
  EXPECT_EQ(prompts[0].answer, "\\frac{1}{\\sqrt{4}}");
  EXPECT_EQ(prompts[0].record["level"], "Level 1");
  EXPECT_EQ(prompts[1].answer, "4\\pi");
  EXPECT_EQ(prompts[1].line, 2);
  EXPECT_EQ(read_prompts(folder_, {.limit = 1}).size(), 1U);
  // One problem's file by itself.
  EXPECT_EQ(read_prompts(folder_ / "train/geometry/2.json")[0].answer, "4\\pi");
  add("train/geometry/3.json", R"({"problem": "No box?", "solution": "It is 5."})");
  EXPECT_THAT(error_of([&] { read_prompts(folder_); }),
              testing::AllOf(HasSubstr("geometry/3.json"), HasSubstr("'solution' holds no \\boxed{…}"),
                             HasSubstr("read as 'math'")));
}

// MATH-500 and others call a problem by its file in MATH: the same problem has one id, in whatever layout it comes.
TEST_F(DatasetFolder, AProblemOfMathHasOneId) {
  const std::string problem = R"("problem": "Half?", "level": "Level 1", "solution": "\\boxed{\\frac12}")";
  add("MATH/test/algebra/12.json", "{" + problem + ", \"type\": \"Algebra\"}");
  add("math500.jsonl", "{" + problem + R"(, "answer": "\\frac12", "subject": "Algebra", )" +
                           R"("unique_id": "test/algebra/12.json"})" + "\n");
  for (const char* place : {"math500.jsonl", "MATH", "MATH/test", "MATH/test/algebra", "MATH/test/algebra/12.json"})
    EXPECT_EQ(read_prompts(folder_ / place)[0].id, "test/algebra/12.json") << place;
  std::filesystem::remove(folder_ / "math500.jsonl");
  add("copy/test/algebra/12.json", "{" + problem + ", \"type\": \"Algebra\"}");
  EXPECT_EQ(read_prompts(folder_)[1].id, "copy/test/algebra/12") << "the same file twice is no error";
  add("mine/algebra/12.json", "{" + problem + "}");
  EXPECT_EQ(read_prompts(folder_ / "mine")[0].id, "algebra/12");
}

TEST(Datasets, MathAsJsonl) {
  const auto prompts =
      read(R"({"problem": "x?", "level": "Level 5", "type": "Algebra", "solution": "It is $\\fbox{12}$ units."})"
           "\n"
           R"({"problem": "y?", "level": "Level 5", "type": "Algebra", "solution": "\\boxed 7 and so on"})");
  EXPECT_EQ(prompts[0].answer, "12");
  EXPECT_EQ(prompts[1].answer, "7");
}

TEST(Datasets, Math500) {
  const auto prompts = read(
      R"json({"problem": "Polar?", "solution": "…\\boxed{\\left( 3, \\frac{\\pi}{2} \\right)}",
      "answer": "\\left( 3, \\frac{\\pi}{2} \\right)", "subject": "Precalculus", "level": 2,
      "unique_id": "test/precalculus/1.json"})json",
      {}, "one.json");
  EXPECT_EQ(prompts[0].id, "test/precalculus/1.json");
  EXPECT_EQ(prompts[0].text, "Polar?");
  EXPECT_EQ(prompts[0].answer, "\\left( 3, \\frac{\\pi}{2} \\right)");
}

TEST(Datasets, Svamp) {
  const auto prompts = read(R"json([
    {"ID": "chal-1", "Body": "Tom has 5 pens. He gives 2 away", "Question": "How many are left?",
     "Equation": "( 5.0 - 2.0 )", "Answer": 3.0, "Type": "Subtraction"},
    {"ID": "chal-2", "Body": "A cake weighs 3 kg.", "Question": "What does half of it weigh?",
     "Equation": "( 3.0 / 2.0 )", "Answer": 1.5, "Type": "Common-Division"}])json",
                            {}, "svamp.json");
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_EQ(prompts[0].text, "Tom has 5 pens. He gives 2 away. How many are left?");
  EXPECT_EQ(prompts[0].answer, "3");
  EXPECT_EQ(prompts[0].id, "chal-1");
  EXPECT_EQ(prompts[1].text, "A cake weighs 3 kg. What does half of it weigh?");
  EXPECT_EQ(prompts[1].answer, "1.5");
}

TEST(Datasets, Aqua) {
  const std::string record =
      R"({"question": "Two plus two?", "options": ["A)3", "B) 4", "(C)5 m"], "rationale": "4, so B", )";
  const auto prompts = read(record + R"("correct": "B"})");
  EXPECT_EQ(prompts[0].text, "Two plus two?\n(A) 3\n(B) 4\n(C) 5 m");
  EXPECT_EQ(prompts[0].answer, "B");
  EXPECT_THAT(error_of([&] { read(record + R"("correct": "D"})"); }),
              testing::AllOf(HasSubstr("set.jsonl: line 1"), HasSubstr("one of the options (ABC), found \"D\"")));
}

TEST(Datasets, Mawps) {
  const auto prompts =
      read(R"([{"iIndex": 4, "sQuestion": " How far? ", "lEquations": ["X=2.0*3.5"], "lSolutions": [7.0]},
    {"iIndex": 5, "sQuestion": "Which two?", "lSolutions": [0.25, -3.0]}])",
           {}, "mawps.json");
  EXPECT_EQ(prompts[0].text, "How far?");
  EXPECT_EQ(prompts[0].answer, "7");
  EXPECT_EQ(prompts[0].id, "4");
  EXPECT_EQ(prompts[1].answer, "0.25, -3");
}

TEST(Datasets, Aime) {
  const auto prompts = read(R"({"id": 60, "problem": "Find $m + n$.", "solution": "…", "answer": "204", "url": "…"})"
                            "\n"
                            R"({"ID": "2024-II-4", "Problem": "Find $n$.", "Answer": 33})");
  EXPECT_EQ(prompts[0].id, "60");
  EXPECT_EQ(prompts[0].answer, "204");
  EXPECT_EQ(prompts[1].id, "2024-II-4");
  EXPECT_EQ(prompts[1].text, "Find $n$.");
  EXPECT_EQ(prompts[1].answer, "33");
}

TEST(Datasets, PlainRecordsStayPlain) {
  const auto named = read(R"({"problem": "x?", "solution": "\\boxed{1}", "level": 3})",
                          {.prompt_key = "problem", .answer_key = "level"});
  EXPECT_EQ(named[0].answer, "3");
  EXPECT_EQ(read(R"({"prompt": "p", "question": "q", "answer": "#### 1"})")[0].text, "p");
  EXPECT_EQ(read(R"({"question": "q", "answer": "forty"})")[0].answer, "forty");
  EXPECT_EQ(read(R"({"question": "q", "answer": "#### 1"})", {.format = "plain"})[0].answer, "#### 1");
  const auto list = read(R"([{"prompt": "a", "answer": 1}, {"prompt": "b"}])", {}, "list.json");
  EXPECT_EQ(list[1].id, "record-2");
  EXPECT_EQ(list[1].line, 2);
}

TEST(Datasets, UnknownAndMixedUpLayoutsAreErrors) {
  EXPECT_THAT(error_of([] { read(R"({"task": "x", "result": 1})"); }),
              testing::AllOf(HasSubstr("line 1: has no prompt: its fields are result, task"),
                             HasSubstr("data.format a published layout (auto, plain, gsm8k, math500, svamp")));
  EXPECT_THAT(error_of([] { read(R"({"question": "q"})", {.format = "squad"}); }),
              HasSubstr("unknown format 'squad': expected one of auto, plain, gsm8k"));
  EXPECT_THAT(error_of([] { read(R"({"question": "q", "answer": "1"})", {.format = "gsm8k"}); }),
              HasSubstr("'answer' holds no \"#### ANSWER\""));
  EXPECT_THAT(error_of([] { read(R"({"question": "q", "answer": "#### 1"})", {.format = "svamp"}); }),
              testing::AllOf(HasSubstr("has no 'Body'"), HasSubstr("read as 'svamp'")));
  EXPECT_THAT(error_of([] { read(R"({"x": "q"})", {.format = "gsm8k", .prompt_key = "x"}); }),
              HasSubstr("data.prompt_key = 'x' has no place beside the format 'gsm8k'"));
  // The first record decides.
  EXPECT_THAT(error_of([] {
                read("{\"question\": \"q\", \"answer\": \"#### 1\"}\n{\"question\": \"q\", \"answer\": \"2\"}\n");
              }),
              testing::AllOf(HasSubstr("line 2"), HasSubstr("#### ANSWER")));
  EXPECT_THAT(error_of([] { read(R"([{"prompt": "a"}, 5])", {}, "list.json"); }),
              HasSubstr("list.json: record 2: expected a JSON object, found number"));
  EXPECT_THAT(error_of([] { read(R"([{"id": 1, "prompt": "a"}, {"id": 1, "prompt": "b"}])", {}, "list.json"); }),
              HasSubstr("record 2: id '1' was given in record 1 already"));
  EXPECT_THAT(error_of([] { read("[{\"prompt\": ", {}, "list.json"); }), HasSubstr("list.json: is not valid JSON"));
  EXPECT_THAT(error_of([] { read("[]", {}, "list.json"); }), HasSubstr("holds no prompts"));
}

TEST_F(DatasetFolder, WithoutDataIsAnError) {
  EXPECT_THAT(error_of([&] { read_prompts(folder_); }), HasSubstr("holds no *.json or *.jsonl file"));
}

TEST(Datasets, NumbersAsPeopleWriteThem) {
  const auto written = [](const char* json) { return plain_number(Json::parse(json)); };
  EXPECT_EQ(written("51.0"), "51");
  EXPECT_EQ(written("-0.0"), "0");
  EXPECT_EQ(written("0.50"), "0.5");
  EXPECT_EQ(written("1e2"), "100");
  EXPECT_EQ(written("12345678901234567890"), "12345678901234567890");
  EXPECT_EQ(last_boxed("\\boxed{a} \\boxed{ \\{1, 2\\} }"), "\\{1, 2\\}");
  EXPECT_EQ(last_boxed("\\boxed{a"), std::nullopt);
  EXPECT_EQ(last_boxed("none"), std::nullopt);
  EXPECT_EQ(last_boxed("\\boxed"), std::nullopt);
}

class Published : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_))
      GTEST_SKIP() << "SKIPPED: reading the published data sets needs the shared folder";
  }
  const Path folder_ = Path(AGRO_SHARED_DIR) / "data";
};

TEST_F(Published, Gsm8kSvampAndAquaAreRecognised) {
  const auto gsm8k = read_prompts(folder_ / "gsm8k/train.jsonl", {.require_answer = true});
  EXPECT_EQ(gsm8k.size(), 7473U);
  EXPECT_EQ(*gsm8k[0].answer, "72");
  const auto svamp = read_prompts(folder_ / "svamp/SVAMP.json", {.require_answer = true});
  EXPECT_EQ(svamp.size(), 1000U);
  EXPECT_EQ(svamp[0].text,
            "Each pack of dvds costs 76 dollars. If there is a discount of 25 dollars on each pack. "
            "How much do you have to pay to buy each pack?");
  EXPECT_EQ(svamp[0].answer, "51");
  const auto aqua = read_prompts(folder_ / "aqua/dev.json", {.require_answer = true});
  EXPECT_EQ(aqua.size(), 254U);
  EXPECT_EQ(aqua[0].answer, "A");
  for (const auto* set : {&gsm8k, &svamp}) {
    for (const PromptRecord& prompt : *set)
      EXPECT_EQ(prompt.answer->find_first_not_of("0123456789.-"), std::string::npos)
          << prompt.id << ' ' << *prompt.answer;
  }
}

}  // namespace
}  // namespace agro
