#include "text/vocabulary.h"

#include "core/error.h"

namespace agro {

void Vocabulary::reserve(size_t tokens) {
  ids_.reserve(tokens);
  tokens_.reserve(tokens);
}

void Vocabulary::add(std::string token, TokenId id) {
  if (const std::string* other = this->token(id))
    throw fail("tokens '{}' and '{}' have the same id {}", *other, token, id);
  const auto [entry, is_new] = ids_.try_emplace(std::move(token), id);
  if (!is_new) throw fail("token '{}' has two ids, {} and {}", entry->first, entry->second, id);
  if (id >= size()) tokens_.resize(static_cast<size_t>(id) + 1, nullptr);
  tokens_[static_cast<size_t>(id)] = &entry->first;
}

std::optional<TokenId> Vocabulary::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* Vocabulary::token(TokenId id) const {
  return id >= 0 && id < size() ? tokens_[static_cast<size_t>(id)] : nullptr;
}

}  // namespace agro
