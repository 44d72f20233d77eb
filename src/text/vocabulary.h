#pragma once
// Tokens and their ids, both ways.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/tokens.h"

namespace agro {

class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  void reserve(size_t tokens);

  /// Throws Error if the token or the id is taken. `id` lies in [0, kMaxTokenId].
  void add(std::string token, TokenId id);

  std::optional<TokenId> id_of(std::string_view token) const;

  /// nullptr for an id without a token: outside the vocabulary or in a gap.
  const std::string* token(TokenId id) const;

  /// Highest id + 1.
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> tokens_;  // point at the keys of ids_, which never move
};

}  // namespace agro
