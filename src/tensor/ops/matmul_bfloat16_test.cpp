// Products of bfloat16 inputs on raw memory: against float64 on the rounded inputs, and bit for bit against themselves.
#include "tensor/ops/matmul_bfloat16.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/rng.h"
#include "tensor/onednn.h"
#include "tensor/ops/bfloat16_cpu.h"
#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

std::vector<float> random_floats(int64_t count, uint64_t which) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(normal({20240607, Stream::kTest, which, 3, static_cast<uint32_t>(i)}));
  return values;
}

/// Round to nearest even, by way of the two neighbours.
float nearest_bfloat16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const float down = std::bit_cast<float>(bits & 0xFFFF0000U),
              up = std::bit_cast<float>((bits & 0xFFFF0000U) + 0x10000);
  const double below = std::abs(static_cast<double>(x) - down), above = std::abs(static_cast<double>(up) - x);
  if (below == above) return (bits & 0x10000U) == 0 ? down : up;
  return below < above ? down : up;
}
uint16_t bits_of(float bfloat16) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(bfloat16) >> 16); }

std::vector<RoundedKernel> kernels() {
  std::vector<RoundedKernel> all{RoundedKernel::kPortable};
  if (has_bfloat16_instructions()) all.push_back(RoundedKernel::kOneDnn);
  return all;
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
  std::vector<float> x = random_floats(1003, 1);
  for (const uint32_t bits :
       {0x3F808000U, 0x3F818000U, 0x3F807FFFU, 0x3F808001U, 0x00000001U, 0x80000000U, 0xBF818000U})
    x.push_back(std::bit_cast<float>(bits));
  on_every_instruction_set([&] {
    std::vector<float> rounded(x.size());
    std::vector<uint16_t> bits(x.size());
    round_to_bfloat16(static_cast<int64_t>(x.size()), x.data(), rounded.data());
    round_to_bfloat16(static_cast<int64_t>(x.size()), x.data(), bits.data());
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(rounded[i], nearest_bfloat16(x[i])) << x[i];
      EXPECT_EQ(bits[i], bits_of(rounded[i])) << x[i];
    }
  });
}

TEST(BFloat16, WhatIsNotFiniteStaysSo) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{infinity, -infinity, std::bit_cast<float>(0x7FFFFFFFU), std::bit_cast<float>(0x7F800001U),
                             std::numeric_limits<float>::max()};
  on_every_instruction_set([&] {
    std::vector<float> rounded(x.size());
    round_to_bfloat16(static_cast<int64_t>(x.size()), x.data(), rounded.data());
    EXPECT_EQ(rounded[0], infinity);
    EXPECT_EQ(rounded[1], -infinity);
    EXPECT_TRUE(std::isnan(rounded[2]));
    EXPECT_TRUE(std::isnan(rounded[3]));
    EXPECT_EQ(rounded[4], infinity) << "rounded up as any other number";
  });
}

struct PackCase {
  int64_t lines, k;
};

TEST(BFloat16, PacksEitherWayFromEitherWay) {
  for (const auto& [lines, k] : {PackCase{1, 1}, {5, 3}, {16, 32}, {17, 33}, {48, 64}, {31, 100}}) {
    const std::vector<float> values = random_floats(lines * k, 5);
    const int64_t padded_lines = (lines + 15) / 16 * 16, padded_k = (k + 31) / 32 * 32;
    for (const bool k_is_dense : {true, false}) {
      const Lines<float> source{values.data(), lines, k, k_is_dense ? k : 1, k_is_dense ? 1 : lines};
      for (const PairOrder order : {PairOrder::kLineMajor, PairOrder::kPairMajor}) {
        on_every_instruction_set([&] {
          std::vector<uint16_t> out(static_cast<size_t>(padded_lines * padded_k), 0xDEAD);
          pack_bfloat16(source, order, padded_lines, padded_k, out.data());
          for (int64_t line = 0; line < padded_lines; ++line)
            for (int64_t i = 0; i < padded_k; ++i) {
              const int64_t at =
                  order == PairOrder::kLineMajor ? line * padded_k + i : i / 2 * 2 * padded_lines + 2 * line + i % 2;
              const float x = line < lines && i < k
                                  ? values[static_cast<size_t>(line * source.line_stride + i * source.k_stride)]
                                  : 0.0F;
              ASSERT_EQ(out[static_cast<size_t>(at)], bits_of(nearest_bfloat16(x)))
                  << fmt::format("{} lines, k {}, dense k {}, line {}, {}", lines, k, k_is_dense, line, i);
            }
        });
      }
    }
  }
}

struct Product {
  int64_t rows, k, n;
};

// Around the panel (64), the tile (16 rows, 32 k), the longest run of k (2048) and several blocks of rows and columns.
const Product kProducts[] = {{1, 1, 1},
                             {1, 31, 65},
                             {3, 0, 5},
                             {15, 32, 64},
                             {17, 33, 63},
                             {64, 100, 129},
                             {65, 257, 40},
                             {300, 128, 130},
                             {2, 2049, 70},
                             {40, 4130, 66},
                             {70, 576, 1500},
                             // Whole tiles and panels, whose dense results the kernel writes where they belong.
                             {16, 32, 64},
                             {64, 100, 128},
                             {96, 2048, 64},
                             {48, 2080, 64},
                             {80, 64, 192},
                             // Rows enough for blocks of whole rows, the last of them a full one or not.
                             {272, 64, 1536},
                             {270, 64, 1536},
                             {272, 576, 1536},
                             {300, 2048, 192}};

std::string name_of_product(const ::testing::TestParamInfo<Product>& info) {
  return fmt::format("{}x{}x{}", info.param.rows, info.param.k, info.param.n);
}

class RoundedProducts : public ::testing::TestWithParam<Product> {
 protected:
  RoundedProducts()
      : left(random_floats(shape.rows * shape.k, 1)),
        right(random_floats(shape.k * shape.n, 2)),
        bias(random_floats(shape.n, 3)) {}
  float at(int64_t row, int64_t i) const { return left[static_cast<size_t>(row * shape.k + i)]; }

  const Product shape = GetParam();
  std::vector<float> left, right, bias;
};

TEST_P(RoundedProducts, AgreeWithFloat64OnTheRoundedInputs) {
  const auto [rows, k, n] = shape;
  std::vector<double> exact(static_cast<size_t>(rows * n)), size(exact.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < k; ++i)
      for (int64_t c = 0; c < n; ++c) {
        const double term = static_cast<double>(nearest_bfloat16(at(row, i))) *
                            static_cast<double>(nearest_bfloat16(right[static_cast<size_t>(i * n + c)]));
        exact[static_cast<size_t>(row * n + c)] += term;
        size[static_cast<size_t>(row * n + c)] += std::abs(term);
      }
  std::vector<float> turned_left(left.size()), turned_right(right.size());
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t row = 0; row < rows; ++row) turned_left[static_cast<size_t>(i * rows + row)] = at(row, i);
    for (int64_t c = 0; c < n; ++c)
      turned_right[static_cast<size_t>(c * k + i)] = right[static_cast<size_t>(i * n + c)];
  }
  for (const RoundedKernel kernel : kernels()) {
    const RoundedMatrix b = RoundedMatrix::from_plain(right.data(), k, n, n, 32, kernel);
    const RoundedMatrix transposed = RoundedMatrix::from_transposed(turned_right.data(), n, k, kernel);
    const RoundedMatrix varying = RoundedMatrix::from_plain(right.data(), k, n, n, RoundedMatrix::kVaryingK, kernel);
    const auto product = [&](const StridedMatrix& a, const RoundedMatrix& right_side, const MatmulOptions& options) {
      std::vector<float> out(static_cast<size_t>(rows * (n + 3)), 7.0F);
      matmul(a, right_side, out.data(), n + 3, options);
      return out;
    };
    const StridedMatrix a{left.data(), rows, k}, a_turned{turned_left.data(), rows, 1, rows};
    const std::vector<float> plain = product(a, b, {});
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t c = 0; c < n; ++c) {
        const auto i = static_cast<size_t>(row * n + c), j = static_cast<size_t>(row * (n + 3) + c);
        // Products of bfloat16 are exact in float32: only the sum rounds.
        ASSERT_NEAR(static_cast<double>(plain[j]), exact[i], 1e-6 * size[i]) << row << ", " << c;
      }
      for (int64_t c = n; c < n + 3; ++c)
        ASSERT_EQ(plain[static_cast<size_t>(row * (n + 3) + c)], 7.0F) << "overwritten";
    }
    EXPECT_EQ(plain, product(a, transposed, {}));
    EXPECT_EQ(plain, product(a_turned, b, {}));

    const std::vector<float> more = product(a, varying, {.bias = bias.data(), .accumulate = true});
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < n; ++c) {
        const auto i = static_cast<size_t>(row * n + c), j = static_cast<size_t>(row * (n + 3) + c);
        ASSERT_NEAR(static_cast<double>(more[j]), exact[i] + static_cast<double>(bias[static_cast<size_t>(c)]) + 7,
                    1e-6 * (size[i] + 10));
      }
    {
      const ThreadsForTest one(1);
      const std::vector<float> alone = product(a, b, {});
      EXPECT_EQ(plain, alone);
    }
  }
}

TEST_P(RoundedProducts, ARowHasTheSameBitsInAnyBatch) {
  const auto [rows, k, n] = shape;
  for (const RoundedKernel kernel : kernels()) {
    const RoundedMatrix b = RoundedMatrix::from_plain(right.data(), k, n, n, 32, kernel);
    std::vector<float> all(static_cast<size_t>(rows * n)), some(all.size());
    matmul({left.data(), rows, k}, b, all.data(), n);
    for (const int64_t batch : {1, 2, 16, 40}) {
      for (int64_t row = 0; row < rows; row += batch)
        matmul({left.data() + row * k, std::min(batch, rows - row), k}, b, some.data() + row * n, n);
      EXPECT_EQ(all, some) << "batches of " << batch;
    }
    // A single row takes a way of its own beside AMX.
    if (kernel == RoundedKernel::kOneDnn)
      on_every_instruction_set([&] {
        matmul({left.data(), 1, k}, b, some.data(), n);
        for (int64_t c = 0; c < n; ++c) ASSERT_EQ(all[static_cast<size_t>(c)], some[static_cast<size_t>(c)]) << c;
      });
  }
}

TEST_P(RoundedProducts, DenseResultsHaveTheBitsOfOthersAndEndWhereTheyShould) {
  const auto [rows, k, n] = shape;
  for (const RoundedKernel kernel : kernels()) {
    const RoundedMatrix b = RoundedMatrix::from_plain(right.data(), k, n, n, 32, kernel);
    std::vector<float> dense(static_cast<size_t>(rows * n + 64), 7.0F), apart(static_cast<size_t>(rows * (n + 3)));
    matmul({left.data(), rows, k}, b, dense.data(), n);
    matmul({left.data(), rows, k}, b, apart.data(), n + 3);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < n; ++c)
        ASSERT_EQ(dense[static_cast<size_t>(row * n + c)], apart[static_cast<size_t>(row * (n + 3) + c)]);
    for (size_t i = static_cast<size_t>(rows * n); i < dense.size(); ++i) ASSERT_EQ(dense[i], 7.0F) << "overwritten";
    // On one thread of several, as a share of a batch is computed.
    std::vector<std::vector<float>> shares(2, std::vector<float>(dense.size(), 7.0F));
    parallel_for(2, [&](int64_t i) { matmul({left.data(), rows, k}, b, shares[static_cast<size_t>(i)].data(), n); });
    for (const std::vector<float>& share : shares) EXPECT_EQ(share, dense);
  }
}

TEST_P(RoundedProducts, ColumnsHaveTheSameBitsAlone) {
  const auto [rows, k, n] = shape;
  for (const RoundedKernel kernel : kernels()) {
    const RoundedMatrix b = RoundedMatrix::from_plain(right.data(), k, n, n, 32, kernel);
    std::vector<float> all(static_cast<size_t>(rows * n)), some(all.size());
    matmul({left.data(), rows, k}, b, all.data(), n);
    for (int64_t column = 0; column < n; column += 64)
      matmul({left.data(), rows, k}, b, some.data() + column, n,
             {.first_column = column, .last_column = std::min(n, column + 64)});
    EXPECT_EQ(all, some);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RoundedProducts, ::testing::ValuesIn(kProducts), name_of_product);

TEST(RoundedMatrix, TakesBFloat16AsItIs) {
  const std::vector<float> values = random_floats(70 * 33, 4), left = random_floats(3 * 33, 5);
  std::vector<uint16_t> bits;
  for (const float x : values) bits.push_back(bits_of(nearest_bfloat16(x)));
  for (const RoundedKernel kernel : kernels()) {
    const auto product = [&](const RoundedMatrix& b) {
      std::vector<float> out(3 * 70);
      matmul({left.data(), 3, 33}, b, out.data(), 70);
      return out;
    };
    EXPECT_EQ(product(RoundedMatrix::from_transposed(bits.data(), 70, 33, kernel)),
              product(RoundedMatrix::from_transposed(values.data(), 70, 33, kernel)));
    EXPECT_EQ(product(RoundedMatrix::from_plain(bits.data(), 33, 70, 70, 32, kernel)),
              product(RoundedMatrix::from_plain(values.data(), 33, 70, 70, 32, kernel)));
  }
}

}  // namespace
}  // namespace agro
