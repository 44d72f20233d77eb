#include "text/bpe.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"
#include "text/byte_alphabet.h"
#include "text/json_fields.h"

namespace agro {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

uint32_t narrow(TokenId id) { return static_cast<uint32_t>(id); }

void refuse_unless_absent(const Json& model, std::string_view key) {
  const Json* value = optional_member(model, key);
  const bool absent = value == nullptr || *value == Json(false) || *value == Json("") || *value == Json(0);
  if (!absent)
    throw fail("{} = {} is not supported", key, describe(*value)).hint("only byte-level BPE tokenizers are supported");
}

/// Both spellings of a merge: "a b" and ["a", "b"].
std::pair<std::string_view, std::string_view> halves(const Json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != text.npos && text.find(' ', space + 1) == text.npos)
      return {text.substr(0, space), text.substr(space + 1)};
  }
  throw fail("expected \"a b\" or [\"a\", \"b\"], found {}", describe(merge));
}

}  // namespace

Bpe Bpe::parse(const Json& model) {
  // Files written before 2020 (GPT-2's) leave the type out.
  const Json* type = optional_member(model, "type");
  if (type != nullptr && *type != Json("BPE"))
    throw fail("type = {} is not supported, expected \"BPE\"", describe(*type))
        .hint("only byte-level BPE tokenizers are supported");
  for (const auto key : {"byte_fallback", "dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    refuse_unless_absent(model, key);
  Bpe bpe;
  bpe.read_vocabulary(model);
  bpe.read_merges(required_array(model, "merges"));
  bpe.fuse_unknown_ = optional_bool(model, "fuse_unk", false);
  bpe.ignore_merges_ = optional_bool(model, "ignore_merges", false);
  return bpe;
}

void Bpe::read_vocabulary(const Json& model) {
  const Json& vocab = required(model, "vocab");
  if (!vocab.is_object()) throw fail("key 'vocab': expected an object, found {}", describe(vocab));
  vocabulary_.reserve(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    try {
      vocabulary_.add(token, to_token_id(id));
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("vocab: token '{}'", token));
    }
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    if (const auto id = vocabulary_.id_of(spelled({&character, 1}))) id_of_byte_[byte] = narrow(*id);
  }
  if (optional_member(model, "unk_token") == nullptr) return;
  const std::string unknown = required_string(model, "unk_token");
  const auto id = vocabulary_.id_of(unknown);
  if (!id) throw fail("unk_token '{}' is not in the vocabulary", unknown);
  unknown_ = narrow(*id);
}

void Bpe::read_merges(const Json& merges) {
  merges_ = MergeTable(merges.size());
  const auto id_of = [&](std::string_view token) {
    const auto id = vocabulary_.id_of(token);
    if (!id) throw fail("token '{}' is not in the vocabulary", token);
    return narrow(*id);
  };
  std::string merged;
  for (uint32_t rank = 0; const Json& merge : merges) {
    try {
      const auto [left, right] = halves(merge);
      merged.assign(left).append(right);
      const uint32_t left_id = id_of(left), right_id = id_of(right);
      merges_.set(left_id, right_id, {rank, id_of(merged)});
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("merges: entry {}", rank));
    }
    ++rank;
  }
}

void Bpe::encode(std::string_view word, Workspace& workspace, TokenIds& ids) const {
  if (ignore_merges_) {
    if (const auto id = vocabulary_.id_of(spelled(word))) {
      ids.push_back(*id);
      return;
    }
  }
  fill_symbols(word, workspace);
  if (workspace.symbols.empty()) return;
  merge_symbols(workspace);
  for (uint32_t i = 0; i != kNone; i = workspace.symbols[i].next) ids.push_back(workspace.symbols[i].id);
}

void Bpe::fill_symbols(std::string_view word, Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  symbols.clear();
  bool after_unknown = false;
  for (const char character : word) {
    const auto known = id_of_byte_[static_cast<uint8_t>(character)];
    const bool drop = !known && (!unknown_ || (fuse_unknown_ && after_unknown));
    if (!drop) {
      const auto index = static_cast<uint32_t>(symbols.size());
      symbols.push_back({known ? *known : *unknown_, index == 0 ? kNone : index - 1, index + 1});
    }
    after_unknown = !known;
  }
  if (!symbols.empty()) symbols.back().next = kNone;
}

void Bpe::push_candidate(uint32_t left, uint32_t right, Workspace& workspace) const {
  const Merge* merge = merges_.find(workspace.symbols[left].id, workspace.symbols[right].id);
  if (merge != nullptr) workspace.candidates.push_back({(uint64_t{merge->rank} << 32) | left, merge->id});
}

void Bpe::merge_symbols(Workspace& workspace) const {
  auto& [symbols, candidates] = workspace;
  const auto later = [](const auto& a, const auto& b) { return a.rank_then_position > b.rank_then_position; };
  candidates.clear();
  for (uint32_t i = 0; i + 1 < symbols.size(); ++i) push_candidate(i, i + 1, workspace);
  std::make_heap(candidates.begin(), candidates.end(), later);
  const auto push = [&](uint32_t left, uint32_t right) {
    const size_t before = candidates.size();
    push_candidate(left, right, workspace);
    if (candidates.size() > before) std::push_heap(candidates.begin(), candidates.end(), later);
  };
  while (!candidates.empty()) {
    std::pop_heap(candidates.begin(), candidates.end(), later);
    const auto best = candidates.back();
    candidates.pop_back();
    const auto position = static_cast<uint32_t>(best.rank_then_position);
    auto& left = symbols[position];
    if (left.merged_away || left.next == kNone) continue;
    auto& right = symbols[left.next];
    // A candidate is stale when a neighbour has merged since, unless the new pair gives the same token (as HF has it).
    const Merge* merge = merges_.find(left.id, right.id);
    if (merge == nullptr || merge->id != best.id) continue;
    left.id = best.id;
    left.next = right.next;
    right.merged_away = true;
    if (left.next != kNone) symbols[left.next].previous = position;
    if (left.previous != kNone) push(left.previous, position);
    if (left.next != kNone) push(position, left.next);
  }
}

}  // namespace agro
