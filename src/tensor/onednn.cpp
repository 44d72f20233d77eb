#include "tensor/onednn.h"

#include <omp.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "core/error.h"

namespace agro {
namespace {

bool supports(dnnl::cpu_isa wanted) {
  const auto bits = [](dnnl::cpu_isa isa) { return static_cast<unsigned>(isa); };
  return (bits(dnnl::get_effective_cpu_isa()) & bits(wanted)) == bits(wanted);
}

/// A primitive made while oneDNN sees one thread divides its work by its shape alone: results are the same for any
/// number of threads, which share the blocks among themselves.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

using Dtype = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

}  // namespace

struct BlockKernel {
  BlockKernel(const dnnl::engine& engine, const BlockShape& s)
      : left({s.rows, s.k}, Dtype::bf16, Tag::ab),
        right({s.k, s.columns}, Dtype::bf16, Tag::BA16a64b2a),
        out({s.rows, s.columns}, Dtype::f32, Tag::ab) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const OneThread one_thread;
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc description(engine, left, right, out, attributes);
#else
    const dnnl::matmul::primitive_desc description({left, right, out}, attributes, engine);
#endif
    scratchpad = description.scratchpad_desc();
    primitive = dnnl::matmul(description);
  }
  dnnl::memory::desc left, right, out, scratchpad;
  dnnl::matmul primitive;
};

namespace {

class BlockKernels {
 public:
  const BlockKernel& get(const BlockShape& shape) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<BlockKernel>& kernel = kernels_[shape];
    if (!kernel) kernel = std::make_unique<BlockKernel>(engine, shape);
    return *kernel;
  }
  const dnnl::engine engine{dnnl::engine::kind::cpu, 0};

 private:
  std::mutex mutex_;
  std::map<BlockShape, std::unique_ptr<BlockKernel>> kernels_;
};

// oneDNN keeps its kernels for the whole process in the same way; machine code has no other owner.
BlockKernels& block_kernels() {
  static BlockKernels kernels;
  return kernels;
}

}  // namespace

bool has_bfloat16_instructions() {
  static const bool has = supports(dnnl::cpu_isa::avx512_core_bf16);
  return has;
}

int64_t smallest_row_block() {
  static const int64_t rows = supports(dnnl::cpu_isa::avx512_core_amx) ? 16 : 1;
  return rows;
}

BlockProduct::BlockProduct(const BlockShape& shape) try : kernel_(&block_kernels().get(shape)) {
} catch (const dnnl::error& error) {
  throw fail("oneDNN cannot multiply bfloat16 [{}, {}] by [{}, {}]: {}", shape.rows, shape.k, shape.k, shape.columns,
             error.what())
      .hint("use float32 products");
}

void BlockProduct::operator()(const uint16_t* left, const uint16_t* right, float* out) const {
  const dnnl::engine& engine = block_kernels().engine;
  thread_local const dnnl::stream stream(engine);
  thread_local std::vector<std::byte> scratchpad;
  if (scratchpad.size() < kernel_->scratchpad.get_size()) scratchpad.resize(kernel_->scratchpad.get_size());
  // oneDNN's handles are not const, even of what it only reads.
  const auto memory = [&](const dnnl::memory::desc& desc, const void* data) {
    return dnnl::memory(desc, engine, const_cast<void*>(data));
  };
  kernel_->primitive.execute(stream, {{DNNL_ARG_SRC, memory(kernel_->left, left)},
                                      {DNNL_ARG_WEIGHTS, memory(kernel_->right, right)},
                                      {DNNL_ARG_DST, memory(kernel_->out, out)},
                                      {DNNL_ARG_SCRATCHPAD, memory(kernel_->scratchpad, scratchpad.data())}});
}

}  // namespace agro
