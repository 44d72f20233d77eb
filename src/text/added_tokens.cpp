#include "text/added_tokens.h"

#include <algorithm>

#include "core/error.h"
#include "text/json_fields.h"
#include "text/unicode.h"

namespace agro {
namespace {

size_t white_space_at_start(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const Utf8Step step = first_code_point(text.substr(length));
    if (!is_white_space(step.code)) break;
    length += step.length;
  }
  return length;
}

size_t white_space_at_end(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0) {
    const char32_t code = last_code_point(text.substr(0, begin));
    if (!is_white_space(code)) break;
    begin -= code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
  }
  return text.size() - begin;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  const bool word_before = begin > 0 && is_word_character(last_code_point(text.substr(0, begin)));
  const bool word_after = end < text.size() && is_word_character(first_code_point(text.substr(end)).code);
  return !word_before && !word_after;
}

}  // namespace

std::vector<AddedToken> parse_added_tokens(const Json& tokenizer) {
  std::vector<AddedToken> tokens;
  if (optional_member(tokenizer, "added_tokens") == nullptr) return tokens;
  for (const Json& entry : required_array(tokenizer, "added_tokens")) {
    try {
      AddedToken token;
      token.content = required_string(entry, "content");
      token.id = to_token_id(required(entry, "id"));
      token.special = optional_bool(entry, "special", false);
      token.single_word = optional_bool(entry, "single_word", false);
      token.lstrip = optional_bool(entry, "lstrip", false);
      token.rstrip = optional_bool(entry, "rstrip", false);
      token.normalized = optional_bool(entry, "normalized", !token.special);
      tokens.push_back(std::move(token));
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("added_tokens: entry {}", tokens.size()));
    }
  }
  return tokens;
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  for (const AddedToken& token : tokens_) may_start_[static_cast<uint8_t>(token.content[0])] = true;
}

const AddedToken* AddedTokenMatcher::longest_at_start(std::string_view text) const {
  // The tokens that share the text's first `depth` bytes are neighbours, and the one that ends there is the first of
  // them.
  const AddedToken* longest = nullptr;
  auto begin = tokens_.begin();
  auto end = tokens_.end();
  for (size_t depth = 0; depth < text.size() && begin != end; ++depth) {
    const auto wanted = static_cast<uint8_t>(text[depth]);
    const auto byte = [depth](const AddedToken& token) {
      return depth < token.content.size() ? int{static_cast<uint8_t>(token.content[depth])} : -1;
    };
    begin =
        std::lower_bound(begin, end, wanted, [&](const AddedToken& token, int value) { return byte(token) < value; });
    end = std::upper_bound(begin, end, wanted, [&](int value, const AddedToken& token) { return value < byte(token); });
    if (begin != end && begin->content.size() == depth + 1) longest = &*begin;
  }
  return longest;
}

std::vector<TextSegment> AddedTokenMatcher::split(std::string_view text) const {
  std::vector<TextSegment> segments;
  size_t done = 0;
  const auto add_plain_until = [&](size_t end) {
    if (done < end) segments.push_back({text.substr(done, end - done), std::nullopt});
  };
  for (size_t position = 0; position < text.size();) {
    const bool possible = may_start_[static_cast<uint8_t>(text[position])];
    const AddedToken* token = possible ? longest_at_start(text.substr(position)) : nullptr;
    if (token == nullptr) {
      ++position;
      continue;
    }
    size_t begin = position;
    size_t end = position + token->content.size();
    position = end;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    if (token->lstrip) begin = std::max(begin - white_space_at_end(text.substr(0, begin)), done);
    if (token->rstrip) end += white_space_at_start(text.substr(end));
    add_plain_until(begin);
    segments.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  add_plain_until(text.size());
  return segments;
}

}  // namespace agro
