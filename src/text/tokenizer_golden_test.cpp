// The published tokenizers against reference ids (tests/golden/README.md, section 4).
#include <gtest/gtest.h>

#include <thread>

#include "core/json.h"
#include "text/tokenizer.h"

namespace agro {
namespace {

const Path kGolden = AGRO_SOURCE_DIR "/tests/golden";
const Path kShared = AGRO_SHARED_DIR;

class PublishedTokenizer : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const Path folder = kShared / "tokenizers" / GetParam();
    if (!std::filesystem::exists(folder / "tokenizer.json"))
      GTEST_SKIP() << "SKIPPED: the tokenizer of " << GetParam() << " needs the shared folder, looked in " << folder;
    tokenizer_.emplace(Tokenizer::load(folder));
    golden_ = read_json(kGolden / "tokenizer" / (GetParam() + ".json"));
  }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  std::optional<Tokenizer> tokenizer_;
  Json golden_;
};

TEST_P(PublishedTokenizer, EncodesAsTheReference) {
  ASSERT_EQ(golden_["cases"].size(), 171u);
  for (const Json& item : golden_["cases"]) {
    const auto text = item["text"].get<std::string>();
    const auto ids = item["ids"].get<TokenIds>();
    EXPECT_EQ(tokenizer().encode(text), ids) << item["text"];
    EXPECT_EQ(tokenizer().encode(text, true), item.value("ids_add_special", ids)) << item["text"];
  }
}

TEST_P(PublishedTokenizer, DecodesAsTheReference) {
  for (const Json& item : golden_["cases"]) {
    const auto ids = item["ids"].get<TokenIds>();
    EXPECT_EQ(tokenizer().decode(ids), item["decoded"].get<std::string>());
    EXPECT_EQ(tokenizer().decode(ids, true), item["decoded_skip_special"].get<std::string>());
  }
  ASSERT_FALSE(golden_["decode_only"].empty());
  for (const Json& item : golden_["decode_only"]) {
    const auto ids = item["ids"].get<TokenIds>();
    EXPECT_EQ(tokenizer().decode(ids), item["text"].get<std::string>());
    EXPECT_EQ(tokenizer().decode(ids, true), item["text_skip_special"].get<std::string>());
  }
  ASSERT_FALSE(golden_["decode_prefixes"].empty());
  for (const Json& item : golden_["decode_prefixes"])
    EXPECT_EQ(tokenizer().decode(item["ids"].get<TokenIds>()), item["text"].get<std::string>());
}

TEST_P(PublishedTokenizer, EncodesTheSameInSeveralThreads) {
  const Json& cases = golden_["cases"];
  std::vector<std::vector<TokenIds>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] {
      for (const Json& item : cases) result.push_back(tokenizer().encode(item["text"].get<std::string>()));
    });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) {
    ASSERT_EQ(result.size(), cases.size());
    for (size_t i = 0; i < result.size(); ++i) EXPECT_EQ(result[i], cases[i]["ids"].get<TokenIds>());
  }
}

INSTANTIATE_TEST_SUITE_P(Published, PublishedTokenizer, testing::Values("gpt2", "llama3", "qwen2.5", "qwen3"),
                         [](const auto& item) { return item.param == "qwen2.5" ? "qwen2_5" : item.param; });

TEST(PublishedTokenizerFacts, SpecialTokensComeFromTheConfig) {
  if (!std::filesystem::exists(kShared / "tokenizers")) GTEST_SKIP() << "SKIPPED: needs the shared folder";
  const Tokenizer qwen = Tokenizer::load(kShared / "tokenizers/qwen2.5");
  EXPECT_EQ(qwen.eos_id(), 151645);
  EXPECT_EQ(qwen.pad_id(), 151643);
  EXPECT_EQ(qwen.bos_id(), std::nullopt);
  EXPECT_EQ(qwen.vocabulary_size(), 151665);
  EXPECT_EQ(qwen.token(151645), "<|im_end|>");
  EXPECT_TRUE(qwen.is_special(151645));
  EXPECT_FALSE(qwen.is_special(0));
  EXPECT_EQ(qwen.id_of("Ġthe"), 279);
  EXPECT_EQ(qwen.token(279), "Ġthe");
}

TEST(SmallTokenizer, AdditionModelMatchesItsGolden) {
  const Tokenizer tokenizer = Tokenizer::load(kGolden / "e2e_qwen2_addition");
  const Json golden = read_json(kGolden / "e2e_qwen2_addition/golden.json");
  EXPECT_EQ(tokenizer.vocabulary_size(), golden["tokenizer_vocab"].get<int64_t>());
  EXPECT_EQ(tokenizer.eos_id(), 378);
  ASSERT_FALSE(golden["tokenizer_cases"].empty());
  for (const Json& item : golden["tokenizer_cases"]) {
    const auto text = item["text"].get<std::string>();
    EXPECT_EQ(tokenizer.encode(text), item["ids"].get<TokenIds>()) << text;
    EXPECT_EQ(tokenizer.decode(item["ids"].get<TokenIds>()), text);
  }
  for (const Json& item : golden["cases"])
    EXPECT_EQ(tokenizer.encode(item["rendered"].get<std::string>()), item["prompt_ids"].get<TokenIds>());
}

TEST(SmallTokenizer, AdderModelDropsWhatIsNotADigit) {
  const Path folder = kShared / "models/mathgpt-adders/2l-1h-128d";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "SKIPPED: the adder model needs the shared folder";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer.encode("062536"), (TokenIds{0, 6, 2, 5, 3, 6}));
  EXPECT_EQ(tokenizer.encode("a1 é+2\n"), (TokenIds{1, 2}));
  EXPECT_EQ(tokenizer.decode(TokenIds{0, 5, 9, 8}), "0598");
  EXPECT_EQ(tokenizer.vocabulary_size(), 10);
  EXPECT_EQ(tokenizer.eos_id(), std::nullopt);
}

}  // namespace
}  // namespace agro
