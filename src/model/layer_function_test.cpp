// The layer whose backward pass is written by hand beside the one that autograd puts together from operators.
#include "model/layer_function.h"

#include <gtest/gtest.h>

#include "core/test_error.h"
#include "model/lora.h"
#include "model/model_folder.h"
#include "model/packed_batch_test.h"
#include "tensor/ops/instruction_sets_test.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

using Layer = std::function<Tensor(const DecoderLayer&, const Tensor& x, int64_t, const DecoderContext&)>;

struct Outcome {
  Tensor value;
  variable_list gradients;  // of the input, then of the layers' tensors
};

/// All layers one after the other, and the gradients of a sum whose terms have unlike weights.
Outcome run(const CausalLm& model, const PackedBatch& batch, const Layer& layer) {
  model.provide_positions(64);
  const DecoderContext context{batch.offsets, batch.prefixes, batch.positions, model.rope()};
  // Drawn in float32 for every model, so that those of other types are given the same numbers.
  torch::manual_seed(7);
  const std::vector<int64_t> shape{batch.tokens(), model.config().hidden_size};
  const Tensor x = torch::randn(shape).to(model.activation_options()).set_requires_grad(true);
  const Tensor cotangent = torch::randn(shape).to(model.activation_options());
  variable_list inputs{x};
  for (const DecoderLayer& l : model.parts().layers)
    for (const Tensor& t : l.trainable()) inputs.push_back(t);
  Tensor y = x;
  for (size_t i = 0; i < model.parts().layers.size(); ++i)
    y = layer(model.parts().layers[i], y, static_cast<int64_t>(i), context);
  return {y.detach(), gradients_of(y, inputs, cotangent)};
}

Tensor by_operators(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context) {
  return layer.forward(x, index, context);
}

CausalLm load(const std::string& folder, Products products = Products::kFloat32,
              WeightDtype dtype = WeightDtype::kFloat32) {
  CausalLm model = ModelFolder(kGolden / folder).load(dtype);
  model.set_products(products);
  for (const NamedTensor& p : model.parameters()) p.tensor.set_requires_grad(true);
  return model;
}

bool is_one_node(const CausalLm& model) {
  const PackedBatch batch = pack_sequences({{1, 2, 3}});
  model.provide_positions(3);
  const Tensor x = torch::randn({3, model.config().hidden_size}, model.activation_options()).set_requires_grad(true);
  const DecoderContext context{batch.offsets, batch.prefixes, batch.positions, model.rope()};
  const Tensor y = forward_layer(model.parts().layers[0], x, 0, context);
  return y.grad_fn()->name().find("LayerFunction") != std::string::npos;
}

void expect_alike(const Outcome& outcome, const Outcome& expected, double bound) {
  EXPECT_TRUE(torch::equal(outcome.value, expected.value));
  ASSERT_EQ(outcome.gradients.size(), expected.gradients.size());
  for (size_t i = 0; i < expected.gradients.size(); ++i) {
    const Tensor &g = outcome.gradients[i], &e = expected.gradients[i];
    EXPECT_GT(e.norm().item<double>(), 0) << "gradient " << i;
    EXPECT_LE((g - e).norm().item<double>(), bound * e.norm().item<double>()) << "gradient " << i;
  }
}

void expect_equal(const Outcome& a, const Outcome& b) {
  EXPECT_TRUE(torch::equal(a.value, b.value));
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (size_t i = 0; i < a.gradients.size(); ++i)
    EXPECT_TRUE(torch::equal(a.gradients[i], b.gradients[i])) << "gradient " << i;
}

class LayerFunctions : public ::testing::TestWithParam<std::string> {};

TEST_P(LayerFunctions, ValueHasTheOperatorsBitsAndGradientsTheirValue) {
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    const CausalLm model = load(GetParam(), products);
    ASSERT_TRUE(is_one_node(model));
    // The two round their sums in different orders, and with bfloat16 products such a difference may round a gradient
    // to another number on its way.
    const double bound = products == Products::kFloat32 ? 2e-6 : 4e-3;
    for (const PackedBatch& batch : {mixed_batch(), mixed_batch(9), pack_sequences({random_ids(60, 1)})})
      expect_alike(run(model, batch, forward_layer), run(model, batch, by_operators), bound);
  }
}

TEST_P(LayerFunctions, GradientsAreThoseOfFloat64) {
  const CausalLm model = load(GetParam()), exact = load(GetParam(), Products::kFloat32, WeightDtype::kFloat64);
  ASSERT_TRUE(is_one_node(model));
  ASSERT_FALSE(is_one_node(exact));
  const PackedBatch batch = mixed_batch();
  const variable_list g = run(model, batch, forward_layer).gradients, e = run(exact, batch, forward_layer).gradients;
  ASSERT_EQ(g.size(), e.size());
  for (size_t i = 0; i < e.size(); ++i)
    EXPECT_LE((g[i].to(torch::kFloat64) - e[i]).norm().item<double>(), 4e-6 * e[i].norm().item<double>())
        << "gradient " << i;
}

TEST_P(LayerFunctions, ThreadsDoNotChangeABit) {
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    const CausalLm model = load(GetParam(), products);
    // The second one has more than one part.
    // The last one cannot be divided by sequences.
    for (const PackedBatch& batch : {mixed_batch(), mixed_batch(9), one_group()}) {
      std::optional<Outcome> first;
      for (const int threads : {1, 2, 3}) {
        const ThreadsForTest set(threads);
        const Outcome outcome = run(model, batch, forward_layer);
        if (!first) first = outcome;
        expect_equal(outcome, *first);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, LayerFunctions,
                         ::testing::Values("gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

// A prompt's continuations need not follow it at once; wherever the threads' shares end, it is with them.
TEST(LayerFunction, PromptsMayComeBeforeOthers) {
  const CausalLm model = load("llama_gqa");
  std::vector<TokenIds> sequences;
  Prefixes prefixes;
  for (int64_t pair = 0; pair < 20; ++pair) {
    const auto which = static_cast<uint64_t>(10 * pair);
    const int64_t first = 4 * pair;
    for (const int64_t prefix : {int64_t{-1}, int64_t{-1}, first, first + 1})
      sequences.push_back(random_ids(5 + prefix % 3, which + prefixes.size() % 4)), prefixes.push_back(prefix);
  }
  const PackedBatch batch = pack_sequences(sequences, {}, prefixes);
  for (const int threads : {1, 2, 3}) {
    const ThreadsForTest set(threads);
    expect_alike(run(model, batch, forward_layer), run(model, batch, by_operators), 2e-6);
    const torch::NoGradGuard no_grad;
    const Tensor hidden = model.hidden_states(batch);
    const torch::AutoGradMode graph(true);
    EXPECT_TRUE(torch::equal(hidden, model.hidden_states(batch).detach())) << threads << " threads";
  }
}

/// One layer of a model, as a node: x, y and what they hang on.
struct OneLayer {
  OneLayer() { model.provide_positions(64); }
  Tensor operator()(const Tensor& x) const {
    return forward_layer(model.parts().layers[0], x, 0, {batch.offsets, batch.prefixes, batch.positions, model.rope()});
  }
  Tensor input() const {
    torch::manual_seed(3);
    return torch::randn({batch.tokens(), model.config().hidden_size});
  }
  variable_list inputs(const Tensor& x) const {
    variable_list all = model.parts().layers[0].trainable();
    all.insert(all.begin(), x);
    return all;
  }

  CausalLm model = load("llama_gqa");
  PackedBatch batch = mixed_batch();
};

TEST(LayerFunction, AWeightChangedInBetweenIsNoticed) {
  const OneLayer layer;
  const Tensor x = layer.input().set_requires_grad(true), y = layer(x);
  {
    const torch::NoGradGuard no_grad;
    layer.model.linears().front()->weight.mul_(2);
  }
  EXPECT_THROW(y.sum().backward(), c10::Error);
}

TEST(LayerFunction, AGraphThatIsKeptGivesTheSameTwice) {
  const OneLayer layer;
  const Tensor x = layer.input().set_requires_grad(true), y = layer(x), cotangent = torch::randn_like(y);
  const Tensor before = cotangent.clone();
  const auto gradients = [&] { return torch::autograd::grad({y}, layer.inputs(x), {cotangent}, true); };
  const variable_list first = gradients(), second = gradients();
  for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(torch::equal(first[i], second[i])) << "gradient " << i;
  EXPECT_TRUE(torch::equal(cotangent, before));
}

TEST(LayerFunction, TensorsNeedNotLieDensely) {
  const OneLayer layer;
  const Tensor x = layer.input().set_requires_grad(true);
  const Tensor strided = layer.input().t().contiguous().t().set_requires_grad(true);
  ASSERT_FALSE(strided.is_contiguous());
  const Tensor y = layer(x), from_strided = layer(strided);
  EXPECT_TRUE(torch::equal(y, from_strided));
  // The sum's gradient is a single number, expanded.
  const variable_list expanded = torch::autograd::grad({from_strided.sum()}, layer.inputs(strided)),
                      dense = torch::autograd::grad({y}, layer.inputs(x), {torch::ones_like(y)});
  for (size_t i = 0; i < dense.size(); ++i) EXPECT_TRUE(torch::equal(expanded[i], dense[i])) << "gradient " << i;
}

TEST(LayerFunction, AnEmptyBatchHasGradientsOfZero) {
  OneLayer layer;
  layer.batch = pack_sequences({});
  const Tensor x = layer.input().set_requires_grad(true);
  for (const Tensor& g : torch::autograd::grad({layer(x).sum()}, layer.inputs(x)))
    EXPECT_EQ(g.abs().sum().item<double>(), 0.0);
}

TEST(LayerFunction, IsLeftAloneWhereItDoesNotApply) {
  CausalLm adapters = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  add_lora(adapters, {.rank = 3, .alpha = 6, .targets = {}}, 5);
  EXPECT_FALSE(is_one_node(adapters));
  CausalLm partly = load("llama_gqa");
  partly.linears().front()->weight.set_requires_grad(false);
  EXPECT_FALSE(is_one_node(partly));
  CausalLm turned = load("llama_gqa");
  Tensor& weight = const_cast<Tensor&>(turned.linears().front()->weight);
  weight = weight.detach().t().contiguous().t().set_requires_grad(true);
  EXPECT_FALSE(is_one_node(turned)) << "gradients would be written by rows";
  EXPECT_TRUE(is_one_node(load("llama_gqa")));
}

TEST(LayerFunction, BadBatchesAreRefused) {
  const CausalLm model = load("llama_gqa");
  const PackedBatch batch = pack_sequences({{1, 2, 3}, {4, 5}});
  model.provide_positions(3);
  const auto error = [&](int64_t rows, const Prefixes& prefixes, int64_t places = 5, int64_t left_out = 0) {
    const Tensor positions = batch.positions.narrow(0, 0, places);
    const Tensor rope = model.rope().narrow(1, 0, model.rope().size(1) - left_out);
    const DecoderContext context{batch.offsets, prefixes, positions, rope};
    return error_of([&] {
      forward_layer(model.parts().layers[0], torch::zeros({rows, model.config().hidden_size}), 0, context);
    });
  };
  EXPECT_EQ(error(5, {}), "");
  EXPECT_NE(error(4, {}).find("input of a decoder layer"), std::string::npos) << error(4, {});
  EXPECT_NE(error(5, {}, 4).find("positions of a decoder layer"), std::string::npos) << error(5, {}, 4);
  EXPECT_NE(error(5, {}, 5, 1).find("table of the rotary"), std::string::npos) << error(5, {}, 5, 1);
  EXPECT_NE(error(5, {-1, 1}).find("sequence 1 cannot continue sequence 1"), std::string::npos) << error(5, {-1, 1});
}

}  // namespace
}  // namespace agro
