#pragma once
// Text to token ids and back, exactly as HuggingFace tokenizers do for byte-level BPE (GPT-2, Llama 3, Qwen,
// SmolLM...).
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/file.h"
#include "core/tokens.h"

namespace agro {

/// Immutable after loading: cheap to copy, and every function may run in several threads at a time.
class Tokenizer {
 public:
  /// Reads `folder`/tokenizer.json and, for the names of the eos, bos and pad tokens, `folder`/tokenizer_config.json if
  /// there is one. The file's own truncation and padding are not applied.
  /// Throws Error naming file, key and value for a missing or broken file, an inconsistent vocabulary, or a tokenizer
  /// that is not byte-level BPE.
  static Tokenizer load(const Path& folder);

  /// Token ids of `text`. Added tokens written out in the text are recognised ("<|im_end|>" is one id), wherever the
  /// text comes from. `add_special` puts the post-processor's tokens around it (Llama 3: beginning-of-text). Ill-formed
  /// UTF-8 counts as U+FFFD. Throws Error for text of 1 GiB or more.
  TokenIds encode(std::string_view text, bool add_special = false) const;

  /// The text of `ids`; bytes that do not form UTF-8 come out as U+FFFD, so a prefix of a sequence may end in one.
  /// An id without a token is passed over (a model's embedding may have more rows than the tokenizer has tokens).
  /// `skip_special` leaves special tokens out. No clean_up_tokenization_spaces.
  std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;

  /// The entry as it stands in the vocabulary ("Ġthe"). Throws Error for an id without a token.
  std::string token(TokenId id) const;

  std::optional<TokenId> id_of(std::string_view token) const;

  /// Whether decode may skip it; false for an id without a token.
  bool is_special(TokenId id) const;

  /// Highest id + 1, added tokens included.
  int64_t vocabulary_size() const;

  /// As named in tokenizer_config.json; none where the file, the key or its value is missing.
  std::optional<TokenId> eos_id() const;
  std::optional<TokenId> bos_id() const;
  std::optional<TokenId> pad_id() const;

 private:
  struct Parts;
  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace agro
