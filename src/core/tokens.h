#pragma once
// Token ids as every room passes them around.
#include <cstdint>
#include <vector>

namespace agro {

using TokenId = int64_t;
using TokenIds = std::vector<TokenId>;

}  // namespace agro
