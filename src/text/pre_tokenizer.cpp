#include "text/pre_tokenizer.h"

#include <string>
#include <utility>

#include "core/error.h"
#include "text/json_fields.h"

namespace agro {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

using Pieces = std::vector<std::string_view>;

SplitBehavior parse_behavior(const std::string& name) {
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  throw fail(
      "behavior = '{}' is not known, expected Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous",
      name);
}

Split parse_split(const Json& step) {
  const Json& pattern = required(step, "pattern");
  const bool literal = optional_member(pattern, "String") != nullptr;
  return {.pattern = Regex(required_string(pattern, literal ? "String" : "Regex"),
                           literal ? Regex::Kind::kLiteral : Regex::Kind::kPattern),
          .behavior = parse_behavior(required_string(step, "behavior")),
          .invert = optional_bool(step, "invert", false)};
}

Split parse_step(const Json& step) {
  const std::string type = required_string(step, "type");
  if (type == "Split") return parse_split(step);
  if (type == "Digits") {
    const bool single = optional_bool(step, "individual_digits", false);
    return {.pattern = Regex("\\p{N}"), .behavior = single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous};
  }
  throw fail("type = '{}' is not supported here, expected Split or Digits before a last ByteLevel", type)
      .hint("only byte-level BPE tokenizers are supported");
}

Pieces apply(const std::vector<Split>& splits, Pieces pieces) {
  for (const Split& split : splits) {
    Pieces next;
    for (const std::string_view piece : pieces) split.apply(piece, next);
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace

PreTokenizer PreTokenizer::parse(const Json& section) {
  std::vector<const Json*> steps = steps_of(section, "pretokenizers");
  if (steps.empty() || required_string(*steps.back(), "type") != "ByteLevel")
    throw fail("the last step is {}, expected ByteLevel",
               steps.empty() ? "missing" : describe(steps.back()->at("type")))
        .hint("only byte-level BPE tokenizers are supported");
  const Json& byte_level = *steps.back();
  steps.pop_back();
  PreTokenizer result;
  for (const Json* step : steps) result.before_.push_back(parse_step(*step));
  result.add_prefix_space_ = optional_bool(byte_level, "add_prefix_space", true);
  if (optional_bool(byte_level, "use_regex", true)) result.byte_level_.push_back({.pattern = Regex(kGpt2Pattern)});
  return result;
}

void PreTokenizer::for_each_word(std::string_view text, const std::function<void(std::string_view)>& visit) const {
  Pieces pieces = apply(before_, text.empty() ? Pieces{} : Pieces{text});
  std::string spaced;
  if (add_prefix_space_) {
    spaced.reserve(text.size() + pieces.size());  // the pieces point into it, so it must not grow
    for (std::string_view& piece : pieces) {
      const size_t begin = spaced.size();
      if (!piece.starts_with(' ')) spaced += ' ';
      spaced += piece;
      piece = std::string_view(spaced).substr(begin);
    }
  }
  for (const std::string_view word : apply(byte_level_, std::move(pieces))) visit(word);
}

}  // namespace agro
