// Sampling allocates for responses, not for tokens. (oneDNN, which bfloat16 products go through, does for each
// product.)
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "generate/engine.h"
#include "model/model_folder.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): operator new is made of it here
namespace {
std::atomic<int64_t> allocations{0};

void* counted(std::size_t bytes) {
  ++allocations;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// For this test program: the standard library asks for every vector and every object here.
void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace agro {
namespace {

int64_t allocations_of(const CausalLm& model, int64_t new_tokens) {
  std::vector<GenerationRequest> requests;
  for (uint64_t p = 0; p < 12; ++p) requests.push_back({TokenIds(3 + p % 4, static_cast<TokenId>(5 + p)), p, 0, 4});
  SamplingConfig sampling;
  sampling.ignore_eos = true;
  sampling.max_new_tokens = new_tokens;
  const int64_t before = allocations;
  const auto result = Engine(model, nullptr, {}).generate(requests, sampling, 3, Stream::kTest);
  EXPECT_EQ(static_cast<int64_t>(result[11][3].ids.size()), new_tokens);
  return allocations - before;
}

TEST(Sampling, AllocatesNothingForAToken) {
  const Path golden = Path(AGRO_SOURCE_DIR) / "tests/golden";
  for (const char* name : {"gpt2", "llama_gqa"}) {
    const CausalLm model = ModelFolder(golden / name).load(WeightDtype::kFloat32);
    allocations_of(model, 40);  // packs weights; threads set aside their memory
    const int64_t of_few = allocations_of(model, 8), of_many = allocations_of(model, 40);
    EXPECT_GT(of_few, 48) << "the responses' own memory was not counted: the test shows nothing";
    // 32 passes more, of 48 tokens each; a thread may set memory aside the first time it meets an operator.
    EXPECT_LT(std::abs(of_many - of_few), 16) << name;
  }
}

}  // namespace
}  // namespace agro
