#pragma once
// Special tokens put around a text on request (Llama 3's beginning-of-text): the "post_processor" section.
#include "core/json.h"
#include "core/tokens.h"

namespace agro {

struct PostProcessor {
  TokenIds prefix;
  TokenIds suffix;

  /// Reads null, ByteLevel (moves offsets only, so nothing here), TemplateProcessing (its "single" template) or a
  /// Sequence of them. Throws Error for anything else.
  static PostProcessor parse(const Json* section);
};

}  // namespace agro
