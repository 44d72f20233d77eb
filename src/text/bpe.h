#pragma once
// Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019): the "model" section of tokenizer.json.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/tokens.h"
#include "text/merge_table.h"
#include "text/vocabulary.h"

namespace agro {

class Bpe {
 public:
  /// Buffers that encode reuses from word to word; one per thread.
  class Workspace {
    friend class Bpe;
    struct Symbol {
      uint32_t id = 0;
      uint32_t previous = 0;
      uint32_t next = 0;
      bool merged_away = false;
    };
    struct Candidate {
      uint64_t rank_then_position = 0;
      uint32_t id = 0;
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> candidates;
  };

  /// Reads the section. Throws Error if it is inconsistent or uses what byte-level models do not (another model type,
  /// byte_fallback, dropout, sub-word prefix or suffix), naming the key and the value found.
  static Bpe parse(const Json& model);

  /// Appends the ids of one pre-tokenized word, given as bytes, fewer than 2^32. A byte that the vocabulary lacks
  /// becomes unk_token, or nothing where that is null. Among equal pairs the leftmost merges first.
  void encode(std::string_view word, Workspace& workspace, TokenIds& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  void read_vocabulary(const Json& model);
  void read_merges(const Json& merges);
  void fill_symbols(std::string_view word, Workspace& workspace) const;
  void push_candidate(uint32_t left, uint32_t right, Workspace& workspace) const;
  void merge_symbols(Workspace& workspace) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<std::optional<uint32_t>, 256> id_of_byte_{};
  std::optional<uint32_t> unknown_;
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;
};

}  // namespace agro
