#include "tensor/ops/linear.h"

#include "tensor/ops/norm_cpu.h"

namespace agro {
namespace {

using Pack = c10::intrusive_ptr<WeightPack>;

StridedMatrix rows_of(const Tensor& x) { return {read_pointer<float>(x), x.size(0), x.size(1)}; }

/// out [a.cols, b.cols] = aᵀ · b for a [N, A], b [N, B].
Tensor transposed_product(const Tensor& a, const Tensor& b, Products products) {
  const int64_t n = a.size(0), rows = a.size(1), columns = b.size(1);
  Tensor out = torch::empty({rows, columns}, a.options());
  matmul({read_pointer<float>(a), rows, 1, rows}, pack_rows(read_pointer<float>(b), n, columns, products),
         write_pointer<float>(out), columns);
  return out;
}

Tensor product(const Tensor& x, const RightHandSide& packed, int64_t columns) {
  Tensor out = torch::empty({x.size(0), columns}, x.options());
  matmul(rows_of(x), packed, write_pointer<float>(out), columns);
  return out;
}

/// x · Wᵀ + b, without the low-rank part.
Tensor forward_product(const Tensor& x, const LinearWeight& w) {
  const int64_t columns = w.out_features();
  Tensor out = torch::empty({x.size(0), columns}, x.options());
  matmul(rows_of(x), w.pack->get(w.weight, w.layout, w.products), write_pointer<float>(out), columns,
         {.bias = w.bias.defined() ? read_pointer<float>(w.bias) : nullptr});
  return out;
}

/// Adds u · Bᵀ to `out`; returns u = scale · x · Aᵀ.
Tensor add_low_rank(const Tensor& x, const LinearWeight& w, const Tensor& out) {
  const LowRank& low_rank = *w.low_rank;
  Tensor u = product(x, low_rank.a_pack->get(low_rank.a, WeightLayout::kOutIn, w.products), low_rank.rank());
  u.mul_(low_rank.scale);
  matmul(rows_of(u), low_rank.b_pack->get(low_rank.b, WeightLayout::kOutIn, w.products), write_pointer<float>(out),
         out.size(1), {.accumulate = true});
  return u;
}

/// What a backward pass needs beside tensors.
struct Kept {
  WeightLayout layout;
  Products products;

  static void save(AutogradContext* ctx, const LinearWeight& w) {
    ctx->saved_data["conv1d"] = w.layout == WeightLayout::kInOut;
    ctx->saved_data["bfloat16"] = w.products == Products::kBFloat16;
    ctx->saved_data["pack"] = at::IValue::make_capsule(w.pack);
  }
  explicit Kept(AutogradContext* ctx)
      : layout(ctx->saved_data["conv1d"].toBool() ? WeightLayout::kInOut : WeightLayout::kOutIn),
        products(ctx->saved_data["bfloat16"].toBool() ? Products::kBFloat16 : Products::kFloat32) {}

  static Pack pack(AutogradContext* ctx, const char* name) {
    return at::static_intrusive_pointer_cast<WeightPack>(ctx->saved_data[name].toCapsule());
  }
};

/// dx = dy · W.
Tensor input_gradient(AutogradContext* ctx, const Kept& kept, const Tensor& dy, const Tensor& weight, int64_t columns) {
  // Kept only where both copies together are no larger than the weight.
  if (kept.products == Products::kBFloat16)
    return product(dy, Kept::pack(ctx, "pack")->get(weight, kept.layout, kept.products, true), columns);
  return product(dy, pack_weight(weight, kept.layout, true, kept.products), columns);
}

Tensor weight_gradient(const Kept& kept, const Tensor& dy, const Tensor& x) {
  return kept.layout == WeightLayout::kOutIn ? transposed_product(dy, x, kept.products)
                                             : transposed_product(x, dy, kept.products);
}

Tensor bias_gradient(const Tensor& dy) {
  Tensor sum = torch::empty({dy.size(1)}, dy.options());
  column_sum(dy.size(0), dy.size(1), read_pointer<float>(dy), write_pointer<float>(sum));
  return sum;
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& /*bias*/,
                        const LinearWeight* w) {
    const Tensor input = x.contiguous();
    Tensor out = forward_product(input, *w);
    ctx->save_for_backward({input, weight});
    Kept::save(ctx, *w);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const Kept kept(ctx);
    Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) dx = input_gradient(ctx, kept, dy, weight, x.size(1));
    if (ctx->needs_input_grad(1)) dweight = weight_gradient(kept, dy, x);
    if (ctx->needs_input_grad(2)) dbias = bias_gradient(dy);
    return {dx, dweight, dbias, Tensor()};
  }
};

/// The same with a low-rank part. With u = s · x · Aᵀ: y = x · Wᵀ + b + u · Bᵀ; with v = s · dy · B:
/// dx = dy · W + v · A, dA = vᵀ · x, dB = dyᵀ · u.
struct LowRankFunction : torch::autograd::Function<LowRankFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& /*bias*/,
                        const Tensor& a, const Tensor& b, const LinearWeight* w) {
    const Tensor input = x.contiguous();
    Tensor out = forward_product(input, *w);
    const Tensor u = add_low_rank(input, *w, out);
    ctx->save_for_backward({input, weight, a, b, u});
    Kept::save(ctx, *w);
    ctx->saved_data["scale"] = w->low_rank->scale;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &a = saved[2], &b = saved[3], &u = saved[4];
    const Tensor dy = grads[0].contiguous();
    const Kept kept(ctx);
    Tensor dx, dweight, dbias, da, db;
    Tensor v = product(dy, pack_weight(b, WeightLayout::kOutIn, true, kept.products), b.size(1));
    v.mul_(ctx->saved_data["scale"].toDouble());
    if (ctx->needs_input_grad(0)) {
      dx = input_gradient(ctx, kept, dy, weight, x.size(1));
      matmul(rows_of(v), pack_weight(a, WeightLayout::kOutIn, true, kept.products), write_pointer<float>(dx),
             dx.size(1), {.accumulate = true});
    }
    if (ctx->needs_input_grad(1)) dweight = weight_gradient(kept, dy, x);
    if (ctx->needs_input_grad(2)) dbias = bias_gradient(dy);
    if (ctx->needs_input_grad(3)) da = transposed_product(v, x, kept.products);
    if (ctx->needs_input_grad(4)) db = transposed_product(dy, u, kept.products);
    return {dx, dweight, dbias, da, db, Tensor()};
  }
};

}  // namespace

void check_low_rank(const LinearWeight& w) {
  const Tensor &a = w.low_rank->a, &b = w.low_rank->b;
  check_shape(a, {-1, w.in_features()}, "matrix A of a low-rank part");
  check_shape(b, {w.out_features(), a.size(0)}, "matrix B of a low-rank part");
  if (a.size(0) < 1) throw Error("a low-rank part has rank 0");
}

Tensor linear(const Tensor& x, const LinearWeight& w) {
  check_shape(x, {-1, w.in_features()}, "input of a linear layer");
  if (w.bias.defined()) check_shape(w.bias, {w.out_features()}, "bias of a linear layer");
  if (w.low_rank) check_low_rank(w);
  if (!on_kernel_path(x)) return linear_ref(x, w);
  if (!records_graph()) {
    const Tensor input = x.contiguous();
    Tensor out = forward_product(input, w);
    if (w.low_rank) add_low_rank(input, w, out);
    return out;
  }
  // Autograd functions take defined tensors only: no bias is an empty one.
  const Tensor bias = w.bias.defined() ? w.bias : torch::empty({0}, x.options());
  if (w.low_rank) return LowRankFunction::apply(x, w.weight, bias, w.low_rank->a, w.low_rank->b, &w);
  return LinearFunction::apply(x, w.weight, bias, &w);
}

Tensor merged_weight(const LinearWeight& w) {
  const torch::NoGradGuard no_grad;
  if (!w.low_rank || !w.low_rank->b.any().item<bool>()) return w.weight.detach();
  check_low_rank(w);
  const Tensor a = w.low_rank->a.detach().contiguous(), b = w.low_rank->b.detach().contiguous();
  const Tensor product_ba =
      on_kernel_path(a)
          ? product(b, pack_rows(read_pointer<float>(a), a.size(0), a.size(1), Products::kFloat32), a.size(1))
          : b.matmul(a);
  const Tensor added = w.layout == WeightLayout::kOutIn ? product_ba : product_ba.t();
  return w.weight.detach().to(a.scalar_type()).add(added, w.low_rank->scale).contiguous();
}

}  // namespace agro
