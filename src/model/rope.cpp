#include "model/rope.h"

#include <cmath>
#include <numbers>

namespace agro {
namespace {

float scaled_frequency(float frequency, const RopeScaling& scaling) {
  const auto factor = static_cast<float>(scaling.factor);
  switch (scaling.kind) {
    case RopeScaling::Kind::kNone:
      return frequency;
    case RopeScaling::Kind::kLinear:
      return frequency / factor;
    case RopeScaling::Kind::kLlama3:
      break;
  }
  const auto original = static_cast<float>(scaling.original_max_position_embeddings);
  const auto low = static_cast<float>(scaling.low_freq_factor), high = static_cast<float>(scaling.high_freq_factor);
  const float wavelength = 2.0F * std::numbers::pi_v<float> / frequency;
  if (wavelength > original / low) return frequency / factor;
  if (wavelength < original / high) return frequency;
  const float smooth = (original / wavelength - low) / (high - low);
  return (1.0F - smooth) * frequency / factor + smooth * frequency;
}

}  // namespace

Tensor rope_table(const ModelConfig& config, int64_t positions) {
  const int64_t half = config.head_dim / 2;
  Tensor table = torch::empty({positions, config.head_dim}, torch::kFloat32);
  auto* out = write_pointer<float>(table);
  for (int64_t i = 0; i < half; ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(config.head_dim);
    const float frequency =
        scaled_frequency(static_cast<float>(1.0 / std::pow(config.rope_theta, exponent)), config.rope_scaling);
    for (int64_t p = 0; p < positions; ++p) {
      const float angle = static_cast<float>(p) * frequency;
      out[p * config.head_dim + i] = std::cos(angle);
      out[p * config.head_dim + half + i] = std::sin(angle);
    }
  }
  return table;
}

}  // namespace agro
