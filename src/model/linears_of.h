#pragma once
#include <optional>

#include "model/decoder_layer.h"

namespace agro {

/// A layer's linear layers in another form, made by `make(const LinearWeight&)`.
template <class Linear>
struct LinearsOf {
  template <class Make>
  LinearsOf(const DecoderLayer& layer, Make&& make) : o(make(layer.o)), up(make(layer.up)), down(make(layer.down)) {
    if (layer.qkv) {
      qkv.emplace(make(*layer.qkv));
    } else {
      q.emplace(make(layer.q)), k.emplace(make(layer.k)), v.emplace(make(layer.v));
    }
    if (layer.gate) gate.emplace(make(*layer.gate));
  }

  std::optional<Linear> qkv, q, k, v, gate;
  Linear o, up, down;
};

}  // namespace agro
