#pragma once
// A decoder layer and what it works on, for backward passes that run it again.
#include <utility>

#include "model/decoder_layer.h"

namespace agro {

/// The layer is copied, its tensors and packed weights are shared; the context's references need not live on.
struct LayerCall : torch::CustomClassHolder {
  LayerCall(DecoderLayer called, int64_t at, const DecoderContext& context)
      : layer(std::move(called)),
        index(at),
        offsets(context.offsets),
        prefixes(context.prefixes),
        positions(context.positions.contiguous()),
        rope(context.rope) {}

  DecoderContext context() const { return {offsets, prefixes, positions, rope}; }

  DecoderLayer layer;
  int64_t index;
  Offsets offsets;
  Prefixes prefixes;
  Tensor positions, rope;
};

}  // namespace agro
