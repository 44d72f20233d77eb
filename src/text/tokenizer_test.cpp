#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/json.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A folder with a small tokenizer over a, b, c and the space, for each test to change.
class TokenizerFolder : public testing::Test {
 protected:
  TokenizerFolder() : folder_(std::filesystem::temp_directory_path() / fmt::format("agro-tokenizer-{}", ::getpid())) {
    tokenizer_ = Json::parse(R"({
      "added_tokens": [{"id": 8, "content": "<end>", "special": true}],
      "normalizer": null,
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
      "post_processor": null,
      "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "unk_token": null,
                "vocab": {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "abc": 5, "Ġa": 6, "bc": 7},
                "merges": ["a b", ["ab", "c"], "Ġ a", "b c"]}
    })");
    std::filesystem::create_directories(folder_);
  }
  ~TokenizerFolder() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const { write_atomically(folder_ / name, text); }

  Tokenizer load() const {
    write("tokenizer.json", tokenizer_.dump());
    return Tokenizer::load(folder_);
  }

  std::string error_of_loading() const {
    try {
      load();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  Path folder_;
  Json tokenizer_;
};

TEST_F(TokenizerFolder, MergesByRankThenFromTheLeft) {
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("abc abc"), (TokenIds{5, 3, 5})) << "\"a b\" ranks before \"Ġ a\"";
  EXPECT_EQ(tokenizer.encode("bcb acb"), (TokenIds{7, 1, 6, 2, 1}));
  EXPECT_EQ(tokenizer.encode("abab"), (TokenIds{4, 4}));
  EXPECT_EQ(tokenizer.encode(""), TokenIds{});
  EXPECT_EQ(tokenizer.decode(TokenIds{5, 6, 7}), "abc abc");
}

TEST_F(TokenizerFolder, DropsUnknownBytesOrMapsThemToUnk) {
  EXPECT_EQ(load().encode("azé<"), (TokenIds{0}));
  tokenizer_["model"]["unk_token"] = "c";
  EXPECT_EQ(load().encode("aéa"), (TokenIds{0, 2, 2, 0}));
  tokenizer_["model"]["fuse_unk"] = true;
  EXPECT_EQ(load().encode("aéa"), (TokenIds{0, 2, 0}));
}

TEST_F(TokenizerFolder, DroppingAByteLetsItsNeighboursMerge) { EXPECT_EQ(load().encode("azb"), (TokenIds{4})); }

TEST_F(TokenizerFolder, IgnoreMergesTakesAWholeWordFirst) {
  tokenizer_["model"]["merges"] = Json::array({"b c"});
  EXPECT_EQ(load().encode("abc"), (TokenIds{0, 7}));
  tokenizer_["model"]["ignore_merges"] = true;
  EXPECT_EQ(load().encode("abc"), (TokenIds{5}));
}

TEST_F(TokenizerFolder, SpecialTokensAreFoundInTextAndSkippedOnRequest) {
  const Tokenizer tokenizer = load();
  const TokenIds ids = {5, 8, 0};
  EXPECT_EQ(tokenizer.encode("abc<end>a"), ids);
  EXPECT_EQ(tokenizer.decode(ids), "abc<end>a");
  EXPECT_EQ(tokenizer.decode(ids, true), "abca");
  EXPECT_EQ(tokenizer.vocabulary_size(), 9);
}

TEST_F(TokenizerFolder, IdsWithoutATokenAreSkippedByDecodeAndRefusedByToken) {
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.decode(TokenIds{0, 99, -1, 1}), "ab");
  EXPECT_FALSE(tokenizer.is_special(-1));
  EXPECT_EQ(tokenizer.id_of("zzz"), std::nullopt);
  EXPECT_THROW(tokenizer.token(99), Error);
  EXPECT_THROW(tokenizer.token(-1), Error);
}

TEST_F(TokenizerFolder, IllFormedInputCountsAsReplacementCharacter) {
  tokenizer_["model"]["unk_token"] = "c";
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("a\xFF"), tokenizer.encode("a\uFFFD"));
  EXPECT_EQ(tokenizer.encode("a\xFF").size(), 4u);
}

TEST_F(TokenizerFolder, TemplateWrapsTheTextOnRequest) {
  tokenizer_["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
    {"type": "TemplateProcessing",
     "single": [{"SpecialToken": {"id": "<end>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "two"}}],
     "special_tokens": {"<end>": {"ids": [8]}, "two": {"ids": [1, 2]}}}]})");
  EXPECT_EQ(load().encode("a", true), (TokenIds{8, 0, 1, 2}));
  EXPECT_EQ(load().encode("", true), (TokenIds{8, 1, 2}));
  EXPECT_EQ(load().encode("a"), (TokenIds{0}));
  tokenizer_["post_processor"]["processors"][1]["special_tokens"]["two"]["ids"] = {99};
  EXPECT_THAT(error_of_loading(), AllOf(HasSubstr("post_processor"), HasSubstr("99")));
}

TEST_F(TokenizerFolder, NormalizedTokensMatchNormalizedText) {
  tokenizer_["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}};
  tokenizer_["added_tokens"] = Json::parse(R"([{"id": 8, "content": "e\u0301", "normalized": true},
                                               {"id": 9, "content": "\u00fc", "normalized": false}])");
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("aé"), (TokenIds{0, 8}));
  EXPECT_EQ(tokenizer.encode("ae\u0301"), (TokenIds{0, 8}));
  EXPECT_EQ(tokenizer.encode("a\u00fc"), (TokenIds{0, 9}));
  EXPECT_EQ(tokenizer.encode("au\u0308"), (TokenIds{0})) << "a raw token must not match what only normalizing makes";
}

TEST_F(TokenizerFolder, ConfigNamesTheSpecialTokens) {
  write("tokenizer_config.json", R"({"eos_token": {"content": "<end>"}, "bos_token": null, "pad_token": "a"})");
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.eos_id(), 8);
  EXPECT_EQ(tokenizer.bos_id(), std::nullopt);
  EXPECT_EQ(tokenizer.pad_id(), 0);
  write("tokenizer_config.json", R"({"eos_token": "<nowhere>"})");
  EXPECT_THAT(error_of_loading(), AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("<nowhere>")));
}

TEST_F(TokenizerFolder, MissingAndBrokenFilesAreNamed) {
  try {
    Tokenizer::load(folder_ / "nowhere");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("nowhere/tokenizer.json: no such file"));
  }
  write("tokenizer.json", "{\"model\": ");
  EXPECT_THROW(Tokenizer::load(folder_), Error);
  write("tokenizer.json", "[1]");
  EXPECT_THROW(Tokenizer::load(folder_), Error);
}

struct BadSection {
  std::string pointer;  // what is replaced ("-" as value: removed)
  std::string value;
  std::vector<std::string> said;  // parts of the message
};

TEST_F(TokenizerFolder, BadSectionsAreNamedWithWhatWasFound) {
  const std::vector<BadSection> bad = {
      {"/model/merges", "-", {"tokenizer.json: model", "'merges' is missing"}},
      {"/model/merges", "7", {"'merges'", "expected an array, found 7"}},
      {"/model/merges/1", R"("a z")", {"merges: entry 1", "'z' is not in the vocabulary"}},
      {"/model/merges/1", R"("a c")", {"merges: entry 1", "'ac' is not in the vocabulary"}},
      {"/model/merges/0", R"("a b c")", {"merges: entry 0", "a b c"}},
      {"/model/merges/0", R"(["a"])", {"merges: entry 0", "an array"}},
      {"/model/vocab", "-", {"'vocab' is missing"}},
      {"/model/vocab/a", "-1", {"'a'", "found -1"}},
      {"/model/vocab/a", "1e9", {"'a'", "expected a token id"}},
      {"/model/vocab/a", "4294967295", {"'a'", "expected a token id"}},
      {"/model/vocab/a", "1", {"'a' and 'b' have the same id 1"}},
      {"/model/type", R"("WordPiece")", {"model: type = \"WordPiece\" is not supported"}},
      {"/model/byte_fallback", "true", {"byte_fallback = true"}},
      {"/model/dropout", "0.1", {"dropout = 0.1"}},
      {"/model/end_of_word_suffix", R"("</w>")", {"end_of_word_suffix = \"</w>\""}},
      {"/model/unk_token", R"("<unk>")", {"unk_token '<unk>'"}},
      {"/model", "-", {"'model' is missing"}},
      {"/normalizer", R"({"type": "Lowercase"})", {"normalizer: type = 'Lowercase'"}},
      {"/pre_tokenizer", "null", {"'pre_tokenizer' is missing or null"}},
      {"/pre_tokenizer", R"({"type": "Metaspace"})", {"pre_tokenizer", "\"Metaspace\"", "expected ByteLevel"}},
      {"/pre_tokenizer",
       R"({"type": "Sequence", "pretokenizers": [{"type": "Punctuation"}, {"type": "ByteLevel"}]})",
       {"'Punctuation'"}},
      {"/pre_tokenizer", R"({"type": "Sequence", "pretokenizers": []})", {"expected ByteLevel"}},
      {"/post_processor", R"({"type": "BertProcessing"})", {"post_processor: type = 'BertProcessing'"}},
      {"/decoder", R"({"type": "WordPiece"})", {"decoder: type = 'WordPiece'"}},
      {"/decoder",
       R"({"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteLevel"}]})",
       {"decoder", "'Fuse'"}},
      {"/decoder", "null", {"'decoder' is missing or null"}},
      {"/added_tokens/0/id", "3", {"added_tokens", "'<end>' has id 3", "'Ġ'"}},
      {"/added_tokens/0/content", R"("ab")", {"added_tokens", "'ab' has id 8 here and 4"}},
      {"/added_tokens/0/id", "-", {"added_tokens: entry 0", "'id' is missing"}},
  };
  const Json good = tokenizer_;
  for (const BadSection& item : bad) {
    SCOPED_TRACE(item.pointer + " = " + item.value);
    tokenizer_ = good;
    const Json::json_pointer pointer(item.pointer);
    if (item.value == "-") {
      tokenizer_[pointer.parent_pointer()].erase(pointer.back());
    } else {
      tokenizer_[pointer] = Json::parse(item.value);
    }
    const std::string message = error_of_loading();
    EXPECT_THAT(message, HasSubstr("tokenizer.json"));
    for (const std::string& part : item.said) EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST_F(TokenizerFolder, FuseAfterByteLevelChangesNothing) {
  tokenizer_["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Fuse"}]})");
  EXPECT_EQ(load().decode(TokenIds{6, 1}), " ab");
}

TEST_F(TokenizerFolder, DeepNestingIsRefused) {
  Json section = {{"type", "ByteLevel"}};
  for (int i = 0; i < 1000; ++i) section = {{"type", "Sequence"}, {"pretokenizers", Json::array({std::move(section)})}};
  tokenizer_["pre_tokenizer"] = std::move(section);
  EXPECT_THAT(error_of_loading(), HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace agro
