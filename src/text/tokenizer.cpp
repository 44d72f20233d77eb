#include "text/tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/json_fields.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/unicode.h"

namespace agro {
namespace {

constexpr size_t kTextLimit = size_t{1} << 30;

/// Runs `parse`, with the section's name on any error.
template <class Parse>
auto in_section(std::string_view name, Parse parse) {
  try {
    return parse();
  } catch (Error& error) {
    throw std::move(error).at(name);
  }
}

/// The only decoder is ByteLevel; Fuse after it joins what is already one string.
void check_decoder(const Json& section) {
  const std::vector<const Json*> steps = steps_of(section, "decoders");
  if (steps.empty()) throw fail("the sequence is empty, expected ByteLevel");
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string_view expected = i == 0 ? "ByteLevel" : "Fuse";
    const std::string type = required_string(*steps[i], "type");
    if (type != expected) throw fail("type = '{}' is not supported, expected {}", type, expected);
  }
}

/// "eos_token": "</s>" or {"content": "</s>", ...}.
std::optional<std::string> token_name(const Json& config, std::string_view key) {
  const Json* value = optional_member(config, key);
  if (value == nullptr) return std::nullopt;
  return value->is_object() ? in_section(key, [&] { return required_string(*value, "content"); })
                            : required_string(config, key);
}

}  // namespace

struct Tokenizer::Parts {
  explicit Parts(const Json& tokenizer)
      : bpe(in_section("model", [&] { return Bpe::parse(required(tokenizer, "model")); })),
        normalizer(
            in_section("normalizer", [&] { return Normalizer::parse(optional_member(tokenizer, "normalizer")); })),
        pre_tokenizer(
            in_section("pre_tokenizer", [&] { return PreTokenizer::parse(required(tokenizer, "pre_tokenizer")); })),
        post_processor(in_section("post_processor",
                                  [&] { return PostProcessor::parse(optional_member(tokenizer, "post_processor")); })) {
    in_section("decoder", [&] { check_decoder(required(tokenizer, "decoder")); });
    add_tokens(parse_added_tokens(tokenizer));
    in_section("post_processor", [&] {
      for (const TokenIds* ids : {&post_processor.prefix, &post_processor.suffix})
        for (const TokenId id : *ids)
          if (token(id) == nullptr) throw fail("special token id {} is not in the vocabulary", id);
    });
  }

  void add_tokens(std::vector<AddedToken> tokens) {
    for (const AddedToken& token : tokens) {
      in_section("added_tokens", [&] {
        const auto known = bpe.vocabulary().id_of(token.content);
        if (known.value_or(token.id) != token.id)
          throw fail("token '{}' has id {} here and {} in the model's vocabulary", token.content, token.id, *known);
        if (const std::string* other = bpe.vocabulary().token(token.id); other != nullptr && !known)
          throw fail("token '{}' has id {}, which is '{}' in the model's vocabulary", token.content, token.id, *other);
        added.add(token.content, token.id);
      });
      if (is_special.size() <= static_cast<size_t>(token.id))
        is_special.resize(static_cast<size_t>(token.id) + 1, false);
      is_special[static_cast<size_t>(token.id)] = token.special;
    }
    // Special tokens come first, so that they win where two tokens normalize to the same text.
    std::stable_partition(tokens.begin(), tokens.end(), [](const AddedToken& token) { return token.special; });
    std::vector<AddedToken> raw, normalized;
    for (AddedToken& token : tokens) {
      if (token.normalized) token.content = normalizer(token.content);
      (token.normalized ? normalized : raw).push_back(std::move(token));
    }
    in_raw_text = AddedTokenMatcher(std::move(raw));
    in_normalized_text = AddedTokenMatcher(std::move(normalized));
  }

  const std::string* token(TokenId id) const {
    const std::string* found = added.token(id);
    return found != nullptr ? found : bpe.vocabulary().token(id);
  }

  std::optional<TokenId> id_of(std::string_view name) const {
    const auto found = added.id_of(name);
    return found ? found : bpe.vocabulary().id_of(name);
  }

  bool special(TokenId id) const {
    return id >= 0 && static_cast<size_t>(id) < is_special.size() && is_special[static_cast<size_t>(id)];
  }

  Bpe bpe;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  Vocabulary added;
  std::vector<bool> is_special;
  AddedTokenMatcher in_raw_text, in_normalized_text;
  std::optional<TokenId> eos, bos, pad;
};

Tokenizer Tokenizer::load(const Path& folder) {
  const Path path = folder / "tokenizer.json";
  if (!std::filesystem::exists(path))
    throw fail("no such file")
        .at(path.string())
        .hint("a model folder needs HuggingFace's tokenizer.json; vocab.json with merges.txt is not read");
  const Json tokenizer = read_json(path);
  const auto parts = in_section(path.string(), [&] { return std::make_shared<Parts>(tokenizer); });

  const Path config_path = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(config_path)) return Tokenizer(parts);
  const Json config = read_json(config_path);
  in_section(config_path.string(), [&] {
    const auto id_of = [&](std::string_view key) -> std::optional<TokenId> {
      const auto name = token_name(config, key);
      if (!name) return std::nullopt;
      const auto id = parts->id_of(*name);
      if (!id) throw fail("{} '{}' is not in the vocabulary of tokenizer.json", key, *name);
      return id;
    };
    parts->eos = id_of("eos_token");
    parts->bos = id_of("bos_token");
    parts->pad = id_of("pad_token");
  });
  return Tokenizer(parts);
}

TokenIds Tokenizer::encode(std::string_view text, bool add_special) const {
  if (text.size() >= kTextLimit)
    throw fail("cannot tokenize a text of {} bytes, the limit is {}", text.size(), kTextLimit);
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = to_valid_utf8(text);

  const Parts& parts = *parts_;
  TokenIds ids;
  Bpe::Workspace workspace;
  if (add_special) ids = parts.post_processor.prefix;
  for (const TextSegment& raw : parts.in_raw_text.split(text)) {
    if (raw.id) {
      ids.push_back(*raw.id);
      continue;
    }
    const std::string normalized = parts.normalizer(raw.text);
    for (const TextSegment& segment : parts.in_normalized_text.split(normalized)) {
      if (segment.id) {
        ids.push_back(*segment.id);
      } else {
        parts.pre_tokenizer.for_each_word(segment.text,
                                          [&](std::string_view word) { parts.bpe.encode(word, workspace, ids); });
      }
    }
  }
  if (add_special) ids.insert(ids.end(), parts.post_processor.suffix.begin(), parts.post_processor.suffix.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (const TokenId id : ids) {
    if (skip_special && parts_->special(id)) continue;
    if (const std::string* token = parts_->token(id)) append_bytes(*token, bytes);
  }
  return is_valid_utf8(bytes) ? bytes : to_valid_utf8(bytes);
}

std::string Tokenizer::token(TokenId id) const {
  const std::string* token = parts_->token(id);
  if (token == nullptr) throw fail("token id {} is not in the vocabulary of {} ids", id, vocabulary_size());
  return *token;
}

std::optional<TokenId> Tokenizer::id_of(std::string_view token) const { return parts_->id_of(token); }
bool Tokenizer::is_special(TokenId id) const { return parts_->special(id); }
int64_t Tokenizer::vocabulary_size() const { return std::max(parts_->bpe.vocabulary().size(), parts_->added.size()); }
std::optional<TokenId> Tokenizer::eos_id() const { return parts_->eos; }
std::optional<TokenId> Tokenizer::bos_id() const { return parts_->bos; }
std::optional<TokenId> Tokenizer::pad_id() const { return parts_->pad; }

}  // namespace agro
