#pragma once
// Brings text into the Unicode normal form that the vocabulary was trained on: the "normalizer" section.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/unicode.h"

namespace agro {

class Normalizer {
 public:
  /// Reads null, NFC, NFD, NFKC, NFKD or a Sequence of them. Throws Error for anything else.
  static Normalizer parse(const Json* section);

  std::string operator()(std::string_view text) const;

 private:
  std::vector<NormalForm> forms_;
};

}  // namespace agro
