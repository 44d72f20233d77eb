// The matrix product on raw memory: against float64, and bit for bit against itself.
#include "tensor/ops/matmul_cpu.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "core/rng.h"
#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

using Element = PackedMatrix::Element;

std::vector<float> random_floats(int64_t count, uint64_t which) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(normal({20240607, Stream::kTest, which, 2, static_cast<uint32_t>(i)}));
  return values;
}

uint16_t to_bfloat16(float x) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16); }
float widen(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }

/// A right-hand side [k, n] in plain and packed form; bfloat16 is exact in float32.
struct RightHandSide {
  RightHandSide(int64_t k, int64_t n, Element element, bool transposed_source) : plain(random_floats(k * n, 2)) {
    std::vector<uint16_t> narrow;
    for (float& x : plain) {
      narrow.push_back(to_bfloat16(x));
      if (element == Element::kBFloat16) x = widen(narrow.back());
    }
    const auto packed_from = [&](const auto& values) {
      if (!transposed_source) return PackedMatrix::from_plain(values.data(), k, n, n);
      auto turned = values;
      for (int64_t i = 0; i < k; ++i)
        for (int64_t c = 0; c < n; ++c) turned[static_cast<size_t>(c * k + i)] = values[static_cast<size_t>(i * n + c)];
      return PackedMatrix::from_transposed(turned.data(), n, k);
    };
    packed = element == Element::kFloat32 ? packed_from(plain) : packed_from(narrow);
  }
  std::vector<float> plain;
  PackedMatrix packed;
};

struct Product {
  int64_t rows, k, n;
};

// 1, primes, multiples of the panel (32), the tile (6 or 12 rows) and the row chunk (96) give or take one.
const Product kProducts[] = {{1, 1, 1},    {1, 1, 33},     {2, 3, 31},    {5, 0, 7},    {5, 1, 32},  {7, 13, 33},
                             {11, 64, 63}, {12, 65, 64},   {13, 127, 65}, {24, 5, 97},  {95, 17, 8}, {97, 31, 129},
                             {96, 257, 1}, {193, 16, 160}, {3, 1000, 40}, {1, 576, 577}};

class MatmulProducts : public ::testing::TestWithParam<Product> {};

TEST_P(MatmulProducts, AgreesWithFloat64) {
  const auto [rows, k, n] = GetParam();
  // Rows off alignment, with room between them that must stay as it was.
  const int64_t a_stride = k + 7, out_stride = n + 5;
  const std::vector<float> a_memory = random_floats(rows * a_stride + 1, 1), bias = random_floats(n, 3),
                           before = random_floats(rows * out_stride + 3, 4);
  const float* a = a_memory.data() + 1;
  for (const Element element : {Element::kFloat32, Element::kBFloat16}) {
    for (const bool transposed_source : {false, true}) {
      const RightHandSide b(k, n, element, transposed_source);
      on_every_instruction_set([&] {
        for (const bool accumulate : {false, true}) {
          std::vector<float> with_one_thread;
          for (const int threads : {1, 2}) {
            const ThreadsForTest scope(threads);
            std::vector<float> out = before;
            matmul({a, rows, a_stride}, b.packed, out.data() + 3, out_stride,
                   {.bias = bias.data(), .accumulate = accumulate});
            for (int64_t row = 0; row < rows; ++row) {
              for (int64_t column = 0; column < out_stride; ++column) {
                const auto at = static_cast<size_t>(3 + row * out_stride + column);
                if (column >= n) {
                  ASSERT_EQ(out[at], before[at]) << "written outside the result";
                  continue;
                }
                const double added = static_cast<double>(bias[static_cast<size_t>(column)]) +
                                     (accumulate ? static_cast<double>(before[at]) : 0.0);
                double exact = added, magnitude = std::abs(added) + 1;
                for (int64_t i = 0; i < k; ++i) {
                  const double term = static_cast<double>(a[row * a_stride + i]) *
                                      static_cast<double>(b.plain[static_cast<size_t>(i * n + column)]);
                  exact += term;
                  magnitude += std::abs(term);
                }
                // A chain of k + 2 roundings is off by at most (k + 2)·2⁻²⁴ of Σ|terms|; random ones stay far below.
                ASSERT_NEAR(static_cast<double>(out[at]), exact,
                            4 * std::sqrt(static_cast<double>(k + 2)) * 0x1p-24 * magnitude)
                    << "row " << row << ", column " << column;
              }
            }
            if (threads == 1) with_one_thread = out;
            EXPECT_EQ(out, with_one_thread) << "not the same bits with two threads";
          }
        }
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, MatmulProducts, ::testing::ValuesIn(kProducts), [](const auto& test) {
  return fmt::format("{}x{}x{}", test.param.rows, test.param.k, test.param.n);
});

TEST(Matmul, ARowAloneHasTheSameBitsAsInABatch) {
  constexpr int64_t kRows = 101, kK = 130, kN = 71;
  const std::vector<float> a = random_floats(kRows * kK, 1);
  for (const Element element : {Element::kFloat32, Element::kBFloat16}) {
    const RightHandSide b(kK, kN, element, true);
    on_every_instruction_set([&] {
      std::vector<float> batch(static_cast<size_t>(kRows * kN)), alone(static_cast<size_t>(kN));
      matmul({a.data(), kRows, kK}, b.packed, batch.data(), kN);
      for (int64_t row = 0; row < kRows; ++row) {
        matmul({a.data() + row * kK, 1, kK}, b.packed, alone.data(), kN);
        EXPECT_EQ(alone, std::vector<float>(batch.begin() + row * kN, batch.begin() + (row + 1) * kN)) << "row " << row;
      }
    });
  }
}

TEST(Matmul, APlainRightSideIsReadInPlaceWithTheSameBits) {
  for (const Product& p : {Product{13, 50, 64}, {25, 800, 96}, {1, 33, 160}, {7, 20, 33}, {7, 20, 512}}) {
    const std::vector<float> a = random_floats(p.rows * p.k, 1), b = random_floats(p.k * p.n, 2);
    on_every_instruction_set([&] {
      std::vector<float> copied(static_cast<size_t>(p.rows * p.n)), in_place(copied.size());
      matmul({a.data(), p.rows, p.k}, PackedMatrix::from_plain(b.data(), p.k, p.n, p.n), copied.data(), p.n);
      matmul({a.data(), p.rows, p.k}, PackedMatrix::view_or_copy(b.data(), p.k, p.n, p.n), in_place.data(), p.n);
      EXPECT_EQ(copied, in_place) << p.k << "x" << p.n;
    });
  }
}

TEST(Matmul, ProductsOverPartsOfKHaveTheBitsOfTheWhole) {
  constexpr int64_t kRows = 17, kK = 1700, kN = 40;
  const std::vector<float> a = random_floats(kRows * kK, 1), b = random_floats(kK * kN, 2);
  on_every_instruction_set([&] {
    std::vector<float> whole(static_cast<size_t>(kRows * kN)), parts(whole.size());
    matmul({a.data(), kRows, kK}, PackedMatrix::from_plain(b.data(), kK, kN, kN), whole.data(), kN);
    for (int64_t k = 0; k < kK; k += 333) {
      const int64_t depth = std::min<int64_t>(333, kK - k);
      matmul({a.data() + k, kRows, kK}, PackedMatrix::from_plain(b.data() + k * kN, depth, kN, kN), parts.data(), kN,
             {.accumulate = k > 0});
    }
    EXPECT_EQ(whole, parts);
  });
}

TEST(Matmul, ColumnsOfTheLeftSideMayLieApart) {
  constexpr int64_t kRows = 29, kK = 77, kN = 45;
  const std::vector<float> a = random_floats(kRows * kK, 1);
  std::vector<float> turned(a.size());
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t i = 0; i < kK; ++i)
      turned[static_cast<size_t>(i * kRows + row)] = a[static_cast<size_t>(row * kK + i)];
  const RightHandSide b(kK, kN, Element::kFloat32, false);
  on_every_instruction_set([&] {
    std::vector<float> dense(static_cast<size_t>(kRows * kN)), strided(dense.size());
    matmul({a.data(), kRows, kK}, b.packed, dense.data(), kN);
    matmul({turned.data(), kRows, 1, kRows}, b.packed, strided.data(), kN);
    EXPECT_EQ(dense, strided);
  });
}

TEST(Matmul, ARangeOfColumnsHasTheBitsOfTheWhole) {
  constexpr int64_t kRows = 14, kK = 33, kN = 200;
  const std::vector<float> a = random_floats(kRows * kK, 1), bias = random_floats(kN, 3);
  const RightHandSide b(kK, kN, Element::kFloat32, true);
  on_every_instruction_set([&] {
    std::vector<float> whole(static_cast<size_t>(kRows * kN));
    matmul({a.data(), kRows, kK}, b.packed, whole.data(), kN, {.bias = bias.data()});
    for (const auto& [first, last] : {std::pair<int64_t, int64_t>{0, 1}, {32, 97}, {96, 200}, {192, 199}}) {
      const int64_t width = last - first;
      std::vector<float> part(static_cast<size_t>(kRows * width));
      matmul({a.data(), kRows, kK}, b.packed, part.data(), width,
             {.bias = bias.data(), .first_column = first, .last_column = last});
      for (int64_t row = 0; row < kRows; ++row)
        for (int64_t c = 0; c < width; ++c)
          ASSERT_EQ(part[static_cast<size_t>(row * width + c)], whole[static_cast<size_t>(row * kN + first + c)])
              << first << ".." << last;
    }
  });
}

TEST(PackedMatrix, PanelsArePaddedWithZeros) {
  for (const int64_t n : {1, 31, 32, 33, 70}) {
    for (const int64_t k : {1, 16, 17}) {
      const RightHandSide plain(k, n, Element::kFloat32, false), turned(k, n, Element::kFloat32, true);
      for (const PackedMatrix* packed : {&plain.packed, &turned.packed}) {
        ASSERT_EQ(packed->panels(), (n + 31) / 32);
        for (int64_t p = 0; p < packed->panels(); ++p) {
          const auto* panel = reinterpret_cast<const float*>(packed->panel(p));
          for (int64_t i = 0; i < k; ++i)
            for (int64_t c = 0; c < PackedMatrix::kPanel; ++c) {
              const int64_t column = p * PackedMatrix::kPanel + c;
              ASSERT_EQ(panel[i * PackedMatrix::kPanel + c],
                        column < n ? plain.plain[static_cast<size_t>(i * n + column)] : 0.0F)
                  << "k " << k << ", n " << n << ", element " << i << ", " << column;
            }
        }
      }
    }
  }
}

}  // namespace
}  // namespace agro
