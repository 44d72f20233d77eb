#include "model/weight_gradients.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/parallel.h"
#include "tensor/ops/norm_cpu.h"

namespace agro {

WeightGradients::WeightGradients(const DecoderLayer& layer) {
  for (const Tensor& t : layer.trainable()) sums_.push_back(torch::empty(t.sizes(), t.options()));
}

void WeightGradients::next_part() { ++parts_, at_ = 0; }

void WeightGradients::norm(const Norm& norm, int64_t elements, const float* dy, const float* x, ReadNormRows rows) {
  const int64_t c = norm.weight.numel();
  std::vector<float> part(static_cast<size_t>(2 * c));
  norm_weight_gradient(norm, elements, dy, x, rows, part.data(), part.data() + c);
  take(part.data());
  if (norm.bias.defined()) take(part.data() + c);
}

void WeightGradients::linear(const LinearWeight& w, int64_t rows, const float* dy, const float* x) {
  const int64_t in = w.in_features(), out = w.out_features();
  auto* sum = write_pointer<float>(sums_[at_++]);
  if (w.layout == WeightLayout::kOutIn)
    products_.push_back({dy, x, rows, out, in, w.products, sum});
  else
    products_.push_back({x, dy, rows, in, out, w.products, sum});
  if (!w.bias.defined()) return;
  std::vector<float> part(static_cast<size_t>(out));
  column_sum(rows, out, dy, part.data());
  take(part.data());
}

void WeightGradients::take(const float* part) {
  const Tensor& sum = sums_[at_++];
  auto* out = write_pointer<float>(sum);
  if (parts_ == 1)
    std::copy_n(part, sum.numel(), out);
  else
    add(sum.numel(), part, out);
}

void WeightGradients::multiply() {
  if (at_ != sums_.size()) throw fail("gradients of {} of a layer's {} tensors were computed", at_, sums_.size());
  // What several products have in common is packed once.
  std::map<std::pair<const float*, Products>, RightHandSide> rights;
  std::vector<const GradientProduct*> first_of;
  for (const GradientProduct& p : products_)
    if (rights.try_emplace({p.right, p.products}).second) first_of.push_back(&p);
  parallel_for_rethrowing(static_cast<int64_t>(first_of.size()), [&](int64_t i) {
    const GradientProduct& p = *first_of[static_cast<size_t>(i)];
    rights.at({p.right, p.products}) = pack_rows(p.right, p.rows, p.right_columns, p.products);
  });
  // All products together, so that threads need not wait at the end of each; in tasks of about equal work.
  constexpr int64_t kTasksOfThread = 8, kTileRows = 12, kMost = 96;
  int64_t work = 0;
  for (const GradientProduct& p : products_) work += p.left_columns * p.right_columns;
  struct Task {
    const GradientProduct* product;
    int64_t row, rows;  // of the result
  };
  std::vector<Task> tasks;
  for (const GradientProduct& p : products_) {
    const int64_t ideal = work / (kTasksOfThread * thread_count() * p.right_columns);
    // Blocks of bfloat16 want many rows.
    const int64_t fewest = p.products == Products::kBFloat16 ? kMost : kTileRows;
    const int64_t step = std::clamp(ideal / kTileRows * kTileRows, fewest, kMost);
    for (int64_t row = 0; row < p.left_columns; row += step)
      tasks.push_back({&p, row, std::min(step, p.left_columns - row)});
  }
  parallel_for_rethrowing(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const auto& [p, row, rows] = tasks[static_cast<size_t>(i)];
    matmul({p->left + row, rows, 1, p->left_columns}, rights.at({p->right, p->products}),
           p->out + row * p->right_columns, p->right_columns, {.accumulate = parts_ > 1});
  });
  products_.clear();
}

}  // namespace agro
