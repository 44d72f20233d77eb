#include "tensor/ops/matmul_bfloat16.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "tensor/onednn.h"
#include "tensor/ops/bfloat16_cpu.h"
#include "tensor/ops/pairs_product_cpu.h"

namespace agro {
namespace {

constexpr int64_t kLines = 16;  // lines that pack_bfloat16 handles at a time

int64_t round_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

/// Memory of the calling thread that keeps its size from call to call; contents undefined.
template <class T>
T* scratch(int64_t count) {
  thread_local std::vector<T> memory;
  if (memory.size() < static_cast<size_t>(count)) memory.resize(static_cast<size_t>(count));
  return memory.data();
}

/// Rows are padded to what the kernel handles at once: 16 with AMX, otherwise a power of two and then sixteens.
int64_t padded_rows(int64_t rows) {
  if (rows >= kLines) return round_up(rows, kLines);
  int64_t padded = smallest_row_block();
  while (padded < rows) padded *= 2;
  return padded;
}

/// The part of a product that one task computes: enough work to hide the hand-out and the call, sums that stay in
/// cache.
struct Blocks {
  Blocks(int64_t rows_in_all, int64_t columns_in_all, int64_t depth, bool whole_rows) {
    constexpr int64_t kMultiplications = 8 << 20, kMostColumns = 1024, kManyRows = 64, kMostRows = 256;
    rows = std::min(padded_rows(rows_in_all), kManyRows);
    const int64_t wanted = kMultiplications / (rows * depth);
    const int64_t most = whole_rows ? columns_in_all : std::clamp<int64_t>(wanted, RoundedMatrix::kPanel, kMostColumns);
    const int64_t groups = (columns_in_all + most - 1) / most;
    columns = round_up((columns_in_all + groups - 1) / groups, RoundedMatrix::kPanel);
    if (columns >= columns_in_all) {
      const int64_t wanted_rows = kMultiplications / (columns * depth) / kManyRows * kManyRows;
      rows = std::min(padded_rows(rows_in_all), std::clamp(wanted_rows, kManyRows, kMostRows));
    }
  }
  int64_t rows, columns;
};

/// Whether blocks of whole rows, which the kernel can write where they belong, would leave no thread without work.
bool whole_rows_suffice(int64_t rows, int64_t columns) {
  constexpr int64_t kMostColumns = 4096, kRows = 64;
  return columns <= kMostColumns && (in_parallel() || rows >= 2 * kRows * thread_count());
}

/// sums [rows, columns of width] into `out`, where a first part overwrites (or adds to what was there before).
void finish(const float* sums, int64_t width, int64_t rows, int64_t columns, const float* bias, bool add, float* out,
            int64_t out_stride) {
  for (int64_t row = 0; row < rows; ++row, sums += width, out += out_stride) {
    if (bias == nullptr && !add) {
      std::memcpy(out, sums, static_cast<size_t>(columns) * sizeof(float));
    } else if (bias == nullptr) {
      for (int64_t i = 0; i < columns; ++i) out[i] += sums[i];
    } else {
      for (int64_t i = 0; i < columns; ++i) out[i] = (sums[i] + bias[i]) + (add ? out[i] : 0.0F);
    }
  }
}

/// Where the left-hand side lies rounded: [chunk of k][rows][k of the chunk].
struct RoundedLeft {
  uint16_t* data;
  int64_t rows;  // a multiple of kLines
  uint16_t* at(int64_t row, int64_t chunk, int64_t length) const { return data + rows * chunk + row * length; }
};

/// Rounds `count` rows of `a` from a_row on into the rows of `left` from left_row on.
void round_rows(const StridedMatrix& a, int64_t k, int64_t depth, int64_t a_row, int64_t count, const RoundedLeft& left,
                int64_t left_row) {
  for (int64_t chunk = 0; chunk < depth; chunk += RoundedMatrix::kChunk) {
    const int64_t length = std::min(RoundedMatrix::kChunk, depth - chunk);
    const Lines<float> part{a.data + a_row * a.row_stride + chunk * a.k_stride, count, std::min(length, k - chunk),
                            a.row_stride, a.k_stride};
    pack_bfloat16(part, PairOrder::kLineMajor, round_up(count, kLines), length, left.at(left_row, chunk, length));
  }
}

void matmul_onednn(const StridedMatrix& a, const RoundedMatrix& b, float* out, int64_t out_stride,
                   const MatmulOptions& options) {
  const int64_t last = options.last_column < 0 ? b.n() : options.last_column;
  const int64_t columns_in_all = last - options.first_column, depth = b.depth();
  const int64_t padded_columns = round_up(columns_in_all, RoundedMatrix::kPanel);
  // oneDNN writes dense results, so only these go where they belong at once.
  const bool dense = depth <= RoundedMatrix::kChunk && !options.accumulate && options.bias == nullptr &&
                     padded_columns == out_stride && padded_columns == columns_in_all;
  const Blocks block(a.rows, padded_columns, std::min(depth, RoundedMatrix::kChunk),
                     dense && whole_rows_suffice(a.rows, padded_columns));
  const int64_t row_blocks = (a.rows + block.rows - 1) / block.rows;
  const int64_t column_blocks = (padded_columns + block.columns - 1) / block.columns;
  const auto rows_of = [&](int64_t i) { return padded_rows(std::min(block.rows, a.rows - i * block.rows)); };
  const auto columns_of = [&](int64_t i) { return std::min(block.columns, padded_columns - i * block.columns); };
  const auto length_of = [&](int64_t chunk) { return std::min(RoundedMatrix::kChunk, depth - chunk); };

  // Made here, where they may throw: the last block of rows, of columns and of k is smaller than the others.
  const int64_t last_chunk = (depth - 1) / RoundedMatrix::kChunk * RoundedMatrix::kChunk;
  std::array<BlockProduct, 8> products;
  const auto product_of = [&](int64_t row_block, int64_t column_block, int64_t chunk) -> BlockProduct& {
    const size_t inner_rows = row_block + 1 < row_blocks ? 1 : 0,
                 inner_columns = column_block + 1 < column_blocks ? 2 : 0, inner_k = chunk < last_chunk ? 4 : 0;
    return products[inner_rows + inner_columns + inner_k];
  };
  for (const int64_t row_block : {int64_t{0}, row_blocks - 1})
    for (const int64_t column_block : {int64_t{0}, column_blocks - 1})
      for (const int64_t chunk : {int64_t{0}, last_chunk})
        product_of(row_block, column_block, chunk) =
            BlockProduct({rows_of(row_block), columns_of(column_block), length_of(chunk)});

  // Rounded once where several blocks of columns share the rows, else by the task that reads them.
  const bool shared = column_blocks > 1;
  RoundedLeft all{nullptr, round_up(a.rows, kLines)};
  if (shared) {
    constexpr int64_t kRowsPerTask = 64;
    all.data = scratch<uint16_t>(all.rows * depth);
    parallel_for_rethrowing((a.rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
      const int64_t row = task * kRowsPerTask;
      round_rows(a, b.k(), depth, row, std::min(kRowsPerTask, a.rows - row), all, row);
    });
  }
  parallel_for_rethrowing(row_blocks * column_blocks, [&](int64_t task) {
    const int64_t row_block = task / column_blocks, column_block = task % column_blocks;
    const int64_t row = row_block * block.rows, column = column_block * block.columns;
    const int64_t rows = std::min(block.rows, a.rows - row), width = columns_of(column_block);
    RoundedLeft left = all;
    if (!shared) {
      left = {scratch<uint16_t>(round_up(rows, kLines) * depth), round_up(rows, kLines)};
      round_rows(a, b.k(), depth, row, rows, left, 0);
    }
    float* to = out + row * out_stride + column;
    if (dense && width == out_stride && rows == rows_of(row_block)) {
      product_of(row_block, column_block, 0)(left.at(shared ? row : 0, 0, depth),
                                             b.block(options.first_column + column, 0), to);
      return;
    }
    float* sums = scratch<float>(rows_of(row_block) * width);
    for (int64_t chunk = 0; chunk < depth; chunk += RoundedMatrix::kChunk) {
      product_of(row_block, column_block, chunk)(left.at(shared ? row : 0, chunk, length_of(chunk)),
                                                 b.block(options.first_column + column, chunk), sums);
      const bool first = chunk == 0;
      const float* bias = options.bias == nullptr || !first ? nullptr : options.bias + options.first_column + column;
      finish(sums, width, rows, std::min(width, columns_in_all - column), bias, options.accumulate || !first, to,
             out_stride);
    }
  });
}

/// AMX does the work of 16 rows for one: below these, reading the matrix is all that has to take time.
constexpr int64_t kFewRows = 3;

/// The bits of matmul_onednn() with AMX.
void matmul_few_rows(const StridedMatrix& a, const RoundedMatrix& b, float* out, int64_t out_stride,
                     const MatmulOptions& options) {
  const int64_t last = options.last_column < 0 ? b.n() : options.last_column, depth = b.depth();
  const int64_t panels = (last - options.first_column + RoundedMatrix::kPanel - 1) / RoundedMatrix::kPanel;
  float* rows = scratch<float>(a.rows * depth);
  for (int64_t row = 0; row < a.rows; ++row) {
    float* values = rows + row * depth;
    for (int64_t k = 0; k < b.k(); ++k) values[k] = a.data[row * a.row_stride + k * a.k_stride];
    round_to_bfloat16(b.k(), values, values);
    std::fill(values + b.k(), values + depth, 0.0F);
  }
  const int64_t at_once = std::max<int64_t>(1, panels / (4 * thread_count()));
  parallel_for((panels + at_once - 1) / at_once, [&](int64_t task) {
    for (int64_t panel = task * at_once; panel < std::min(panels, (task + 1) * at_once); ++panel) {
      const int64_t column = options.first_column + panel * RoundedMatrix::kPanel;
      for (int64_t chunk = 0; chunk < depth; chunk += RoundedMatrix::kChunk) {
        const bool first = chunk == 0;
        const float* bias = options.bias == nullptr || !first ? nullptr : options.bias + column;
        for (int64_t row = 0; row < a.rows; ++row) {
          float sums[RoundedMatrix::kPanel];
          multiply_panel_of_pairs(rows + row * depth + chunk, b.block(column, chunk),
                                  std::min(RoundedMatrix::kChunk, depth - chunk), sums);
          finish(sums, RoundedMatrix::kPanel, 1, std::min(RoundedMatrix::kPanel, last - column), bias,
                 options.accumulate || !first, out + row * out_stride + column - options.first_column, out_stride);
        }
      }
    }
  });
}

void matmul_portable(const StridedMatrix& a, const RoundedMatrix& b, float* out, int64_t out_stride,
                     const MatmulOptions& options) {
  // Whichever way the matrix lies, its rounded copy lies the same way without gaps.
  const bool by_rows = a.k_stride == 1;
  const int64_t lines = by_rows ? a.rows : b.k(), length = by_rows ? b.k() : a.rows;
  const int64_t stride = by_rows ? a.row_stride : a.k_stride;
  float* rounded = scratch<float>(lines * length);
  for (int64_t line = 0; line < lines; ++line)
    round_to_bfloat16(length, a.data + line * stride, rounded + line * length);
  matmul({rounded, a.rows, by_rows ? length : 1, by_rows ? 1 : length}, b.portable(), out, out_stride, options);
}

}  // namespace

RoundedKernel best_rounded_kernel() {
  return has_bfloat16_instructions() ? RoundedKernel::kOneDnn : RoundedKernel::kPortable;
}

RoundedMatrix::RoundedMatrix(int64_t k, int64_t n, int64_t k_multiple, RoundedKernel kernel)
    : k_(k),
      n_(n),
      depth_(round_up(k, k > k_multiple ? k_multiple : 32)),
      kernel_(k == 0 ? RoundedKernel::kPortable : kernel) {}

template <class T>
void RoundedMatrix::fill(const T* source, int64_t column_stride, int64_t k_stride) {
  pairs_ = aligned_memory(static_cast<size_t>(padded_n() * depth_) * sizeof(uint16_t));
  parallel_for(padded_n() / kPanel, [&](int64_t panel) {
    const int64_t column = panel * kPanel;
    for (int64_t chunk = 0; chunk < depth_; chunk += kChunk) {
      const int64_t length = std::min(kChunk, depth_ - chunk);
      const Lines<T> part{source + column * column_stride + chunk * k_stride, std::min(kPanel, n_ - column),
                          std::min(length, k_ - chunk), column_stride, k_stride};
      pack_bfloat16(part, PairOrder::kPairMajor, kPanel, length, const_cast<uint16_t*>(block(column, chunk)));
    }
  });
}

const uint16_t* RoundedMatrix::block(int64_t column, int64_t chunk) const {
  const auto* pairs = reinterpret_cast<const uint16_t*>(pairs_.get());
  return pairs + chunk * padded_n() + column * std::min(kChunk, depth_ - chunk);
}

template <class T>
RoundedMatrix RoundedMatrix::from_transposed(const T* source, int64_t n, int64_t k, RoundedKernel kernel) {
  RoundedMatrix m(k, n, 32, kernel);
  if (m.kernel_ == RoundedKernel::kOneDnn) {
    m.fill(source, k, 1);
  } else if constexpr (std::is_same_v<T, uint16_t>) {
    m.portable_ = PackedMatrix::from_transposed(source, n, k);
  } else {
    std::vector<uint16_t> rounded(static_cast<size_t>(n * k));
    round_to_bfloat16(n * k, source, rounded.data());
    m.portable_ = PackedMatrix::from_transposed(rounded.data(), n, k);
  }
  return m;
}

template <class T>
RoundedMatrix RoundedMatrix::from_plain(const T* source, int64_t k, int64_t n, int64_t row_stride, int64_t k_multiple,
                                        RoundedKernel kernel) {
  RoundedMatrix m(k, n, k_multiple, kernel);
  if (m.kernel_ == RoundedKernel::kOneDnn) {
    m.fill(source, 1, row_stride);
  } else if constexpr (std::is_same_v<T, uint16_t>) {
    m.portable_ = PackedMatrix::from_plain(source, k, n, row_stride);
  } else {
    std::vector<uint16_t> rounded(static_cast<size_t>(n * k));
    for (int64_t i = 0; i < k; ++i) round_to_bfloat16(n, source + i * row_stride, rounded.data() + i * n);
    m.portable_ = PackedMatrix::from_plain(rounded.data(), k, n, n);
  }
  return m;
}

template RoundedMatrix RoundedMatrix::from_transposed(const float*, int64_t, int64_t, RoundedKernel);
template RoundedMatrix RoundedMatrix::from_transposed(const uint16_t*, int64_t, int64_t, RoundedKernel);
template RoundedMatrix RoundedMatrix::from_plain(const float*, int64_t, int64_t, int64_t, int64_t, RoundedKernel);
template RoundedMatrix RoundedMatrix::from_plain(const uint16_t*, int64_t, int64_t, int64_t, int64_t, RoundedKernel);

void matmul(const StridedMatrix& a, const RoundedMatrix& b, float* out, int64_t out_stride,
            const MatmulOptions& options) {
  if (a.rows == 0) return;
  if (b.kernel() == RoundedKernel::kPortable)
    matmul_portable(a, b, out, out_stride, options);
  else if (a.rows <= kFewRows && smallest_row_block() > 1)
    matmul_few_rows(a, b, out, out_stride, options);
  else
    matmul_onednn(a, b, out, out_stride, options);
}

}  // namespace agro
