#pragma once
// How PEFT names the parts of an adapter: "base_model.model.MODULE.lora_A.weight".
#include <string_view>

namespace agro {

inline constexpr std::string_view kAdapterPrefix = "base_model.model.";
inline constexpr std::string_view kASuffix = ".lora_A.weight", kBSuffix = ".lora_B.weight";

/// Last part of a module's name: "q_proj" of "model.layers.0.self_attn.q_proj".
inline std::string_view short_name(std::string_view module) { return module.substr(module.rfind('.') + 1); }

}  // namespace agro
