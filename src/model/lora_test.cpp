// Adapters on the models of tests/golden: what they change, what they are worth merged, and PEFT's files.
#include "model/lora.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/json.h"
#include "core/rng.h"
#include "core/test_error.h"
#include "core/test_folder.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"

namespace agro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

const TokenIds kPrompt{5, 17, 40, 3}, kCompletion{9, 33, 21, 58, 7, 12};

Tensor logprobs(const CausalLm& model) {
  const torch::NoGradGuard no_grad;
  const std::vector<PromptCompletion> items{{kPrompt, kCompletion}};
  return completion_logprobs(model, items).to(torch::kDouble);
}

/// Adapters that change something.
void add_trained(CausalLm& model, int64_t rank = 4, const std::vector<std::string>& targets = {}) {
  add_lora(model, {.rank = rank, .alpha = 12, .targets = targets}, 7);
  uint64_t which = 0;
  for (const NamedTensor& p : model.low_rank_parameters()) {
    ++which;
    if (p.name.find("lora_B") == std::string::npos) continue;
    for (int64_t i = 0; i < p.tensor.numel(); ++i)
      p.tensor.view({-1})[i] = 0.1 * normal({3, Stream::kTest, which, 0, static_cast<uint32_t>(i)});
  }
}

class LoraModel : public TestFolder, public ::testing::WithParamInterface<std::string> {
 protected:
  LoraModel() : source(kGolden / GetParam()) {}
  ModelFolder source;
};

TEST_P(LoraModel, FreshAdaptersChangeNoBit) {
  for (const WeightDtype dtype : {WeightDtype::kSame, WeightDtype::kFloat32}) {
    for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
      CausalLm model = source.load(dtype);
      model.set_products(products);
      const Tensor before = logprobs(model);
      add_lora(model, {.rank = 3, .alpha = 16, .targets = {}}, 7);
      EXPECT_TRUE(torch::equal(logprobs(model), before));
    }
  }
}

TEST_P(LoraModel, MergedWeightsDoTheSame) {
  CausalLm model = source.load(WeightDtype::kFloat32);
  const Tensor base = logprobs(model);
  add_trained(model);
  const Tensor adapted = logprobs(model);
  EXPECT_GT((adapted - base).abs().max().item<double>(), 1e-2) << "the adapters do nothing: the test shows nothing";
  merge_low_rank(model);
  EXPECT_TRUE(model.low_rank_parameters().empty());
  EXPECT_LE((logprobs(model) - adapted).abs().max().item<double>(), 3e-5);
}

// In float64 the two differ by float64's rounding only: it is the same function.
TEST_P(LoraModel, MergedWeightsAreTheSameFunction) {
  CausalLm model = source.load(WeightDtype::kFloat64);
  add_trained(model);
  const Tensor adapted = logprobs(model);
  merge_low_rank(model);
  EXPECT_LE((logprobs(model) - adapted).abs().max().item<double>(), 1e-12);
}

TEST_P(LoraModel, TheKernelsAgreeWithFloat64) {
  CausalLm fast = source.load(WeightDtype::kFloat32), exact = source.load(WeightDtype::kFloat64);
  add_trained(fast), add_trained(exact);
  EXPECT_LE((logprobs(fast) - logprobs(exact)).abs().max().item<double>(), 3e-5);
}

TEST_P(LoraModel, GradientsAgainstCentralDifferences) {
  CausalLm model = source.load(WeightDtype::kFloat64);
  add_trained(model, 2);
  for (const NamedTensor& p : model.low_rank_parameters()) p.tensor.set_requires_grad(true);
  const std::vector<PromptCompletion> items{{kPrompt, kCompletion}};
  completion_logprobs(model, items).sum().backward();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  for (const NamedTensor& p : model.low_rank_parameters()) {
    const Tensor flat = p.tensor.detach().view({-1});
    const int64_t i = flat.numel() / 2;
    const double before = flat[i].item<double>();
    const auto sum_at = [&](double x) {
      flat[i] = x;
      return completion_logprobs(model, items).sum().item<double>();
    };
    const double slope = (sum_at(before + kStep) - sum_at(before - kStep)) / (2 * kStep);
    flat[i] = before;
    ASSERT_NEAR(p.tensor.grad().view({-1})[i].item<double>(), slope, 1e-6 * (1 + std::abs(slope))) << p.name;
  }
}

TEST_P(LoraModel, ACopyWithoutAdaptersSharesTheWeights) {
  CausalLm model = source.load(WeightDtype::kSame);
  const Tensor base = logprobs(model);
  add_trained(model);
  CausalLm reference = model;
  reference.remove_low_rank();
  EXPECT_TRUE(torch::equal(logprobs(reference), base));
  for (size_t i = 0; i < model.linears().size(); ++i) {
    EXPECT_EQ(reference.linears()[i]->weight.data_ptr(), model.linears()[i]->weight.data_ptr());
    EXPECT_EQ(reference.linears()[i]->pack, model.linears()[i]->pack) << "packed twice";
  }
  CausalLm copied = model;
  copied.copy_low_rank();
  const Tensor adapted = logprobs(model);
  for (const NamedTensor& p : model.low_rank_parameters()) p.tensor.mul_(2);
  EXPECT_TRUE(torch::equal(logprobs(copied), adapted));
  EXPECT_FALSE(torch::equal(logprobs(model), adapted));
}

TEST_P(LoraModel, TheAdapterFolderIsReadBackToTheBit) {
  CausalLm model = source.load(WeightDtype::kFloat32);
  add_trained(model, 3);
  write_adapter(folder_ / "adapter", model, "the-base");
  CausalLm again = source.load(WeightDtype::kFloat32);
  read_adapter(folder_ / "adapter", again);
  EXPECT_TRUE(torch::equal(logprobs(again), logprobs(model)));
  const auto mine = model.low_rank_parameters(), its = again.low_rank_parameters();
  ASSERT_EQ(mine.size(), its.size());
  for (size_t i = 0; i < mine.size(); ++i) {
    EXPECT_EQ(mine[i].name, its[i].name);
    EXPECT_TRUE(torch::equal(mine[i].tensor, its[i].tensor)) << mine[i].name;
  }
  const Json config = read_json(folder_ / "adapter/adapter_config.json");
  EXPECT_EQ(config["peft_type"], "LORA");
  EXPECT_EQ(config["r"], 3);
  EXPECT_EQ(config["lora_alpha"], 12);
  EXPECT_EQ(config["base_model_name_or_path"], "the-base");
  EXPECT_EQ(config["fan_in_fan_out"], GetParam() == "gpt2");
}

TEST_P(LoraModel, TheWrittenModelIsTheMergedOne) {
  CausalLm model = source.load(WeightDtype::kFloat32);
  add_trained(model);
  source.write(folder_ / "merged", model);
  const CausalLm written = ModelFolder(folder_ / "merged").load(WeightDtype::kFloat32);
  merge_low_rank(model);
  for (size_t i = 0; i < model.parameters().size(); ++i) {
    const Tensor &expected = model.parameters()[i].tensor, &found = written.parameters()[i].tensor;
    const bool half = source.config().torch_dtype == Dtype::kBF16;
    EXPECT_TRUE(torch::equal(half ? expected.to(torch::kBFloat16).to(torch::kFloat32) : expected, found))
        << model.parameters()[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, LoraModel,
                         ::testing::Values("gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

class Lora : public TestFolder {
 protected:
  static CausalLm load(const std::string& name, WeightDtype dtype = WeightDtype::kFloat32) {
    return ModelFolder(kGolden / name).load(dtype);
  }
  /// A valid adapter of llama_gqa, whose configuration `change` spoils.
  std::string error_with(const std::function<void(OrderedJson&)>& change, const std::string& base = "llama_gqa") {
    CausalLm model = load("llama_gqa");
    add_trained(model, 2, {"q_proj"});
    write_adapter(folder_ / "adapter", model, "base");
    OrderedJson config = read_ordered_json(folder_ / "adapter/adapter_config.json");
    change(config);
    write_atomically(folder_ / "adapter/adapter_config.json", config.dump());
    return error_of([&] {
      CausalLm other = load(base);
      read_adapter(folder_ / "adapter", other);
    });
  }
};

// PEFT: kaiming_uniform_(a = √5) is uniform in ±1/√in; 2 % is ten standard errors of the variance here.
TEST_F(Lora, InitialValuesAreThoseOfPeft) {
  CausalLm model = load("smollm2_tied");
  add_lora(model, {.rank = 8, .alpha = 32, .targets = {}}, 11);
  for (const LinearWeight* w : model.linears()) {
    ASSERT_TRUE(w->low_rank.has_value()) << w->name;
    EXPECT_EQ(w->low_rank->scale, 4.0);
    EXPECT_EQ(w->low_rank->b.abs().sum().item<double>(), 0);
    const double bound = 1 / std::sqrt(static_cast<double>(w->in_features()));
    EXPECT_LE(w->low_rank->a.abs().max().item<double>(), bound);
    EXPECT_GT(w->low_rank->a.abs().max().item<double>(), 0.97 * bound);
    EXPECT_NEAR(w->low_rank->a.mean().item<double>(), 0, 0.15 * bound);
  }
  const auto first = [](const CausalLm& m) { return m.low_rank_parameters().front().tensor; };
  CausalLm same = load("smollm2_tied"), other = load("smollm2_tied");
  add_lora(same, {.rank = 8, .alpha = 32, .targets = {}}, 11);
  add_lora(other, {.rank = 8, .alpha = 32, .targets = {}}, 12);
  EXPECT_TRUE(torch::equal(first(model), first(same)));
  EXPECT_FALSE(torch::equal(first(model), first(other)));
  EXPECT_FALSE(torch::equal(first(model), model.low_rank_parameters()[2].tensor)) << "two layers with the same numbers";
}

TEST_F(Lora, TargetsAreChosenByTheEndOfTheirName) {
  CausalLm llama = load("llama_gqa"), gpt2 = load("gpt2");
  add_lora(llama, {.rank = 1, .alpha = 1, .targets = {"v_proj", "mlp.down_proj"}}, 0);
  for (const LinearWeight* w : llama.linears())
    EXPECT_EQ(w->low_rank.has_value(), w->name.ends_with("v_proj") || w->name.ends_with("down_proj")) << w->name;
  add_lora(gpt2, {.rank = 1, .alpha = 1, .targets = {"attn.c_proj"}}, 0);
  for (const LinearWeight* w : gpt2.linears())
    EXPECT_EQ(w->low_rank.has_value(), w->name.ends_with(".attn.c_proj")) << w->name;
  EXPECT_EQ(gpt2.low_rank_parameters()[0].name, "base_model.model.transformer.h.0.attn.c_proj.lora_A.weight");
  EXPECT_EQ(llama.low_rank_parameters()[1].name, "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight");
  write_adapter(folder_ / "llama", llama, "base");
  write_adapter(folder_ / "gpt2", gpt2, "base");
  EXPECT_THAT(read_json(folder_ / "llama/adapter_config.json")["target_modules"].get<std::vector<std::string>>(),
              ElementsAre("down_proj", "v_proj"));
  // "c_proj" would be the feed-forward's too.
  EXPECT_EQ(read_json(folder_ / "gpt2/adapter_config.json")["target_modules"][0], "transformer.h.0.attn.c_proj");
}

TEST_F(Lora, OnlyAdaptersAreTrainable) {
  CausalLm model = load("llama_gqa");
  EXPECT_EQ(model.trainable_parameters().size(), model.parameters().size());
  add_lora(model, {.rank = 2, .alpha = 1, .targets = {"q_proj"}}, 0);
  EXPECT_EQ(model.trainable_parameters().size(), 2U * static_cast<size_t>(model.config().num_hidden_layers));
}

TEST_F(Lora, WhatCannotBeAddedIsNamed) {
  CausalLm model = load("llama_gqa");
  EXPECT_EQ(error_of([&] { add_lora(model, {.rank = 0, .alpha = 1, .targets = {}}, 0); }),
            "lora.rank must be at least 1, found 0");
  EXPECT_EQ(error_of([&] {
              add_lora(model, {.rank = 1, .alpha = 1, .targets = {"q_proj", "c_attn"}}, 0);
            }),
            "lora.targets: the model has no linear layer 'c_attn'\n"
            "  hint: its layers have q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
  EXPECT_THAT(error_of([&] { add_lora(model, {.rank = 1, .alpha = 1, .targets = {"proj"}}, 0); }),
              HasSubstr("no linear layer 'proj'"));
  EXPECT_EQ(error_of([&] { write_adapter(folder_ / "none", model, ""); }), "the model has no low-rank parts to write");
}

TEST_F(Lora, AnAdapterOfAnotherModelIsRefused) {
  EXPECT_EQ(error_with([](OrderedJson&) {}), "") << "the unspoiled one is read";
  EXPECT_THAT(error_with([](OrderedJson&) {}, "gpt2"),
              HasSubstr("adapter_model.safetensors: the model has no linear layer 'model.layers.0.self_attn.q_proj'"));
  EXPECT_THAT(error_with([](OrderedJson&) {}, "qwen3_qknorm_bf16"), HasSubstr("matrix B of a low-rank part has shape"));
}

TEST_F(Lora, SettingsThatChangeWhatAnAdapterComputesAreRefused) {
  EXPECT_THAT(error_with([](OrderedJson& c) { c["peft_type"] = "IA3"; }), HasSubstr("peft_type must be LORA"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c["use_dora"] = true; }), HasSubstr("use_dora is not supported"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c["bias"] = "all"; }), HasSubstr("biases are not supported"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c["rank_pattern"] = {{"q_proj", 4}}; }), HasSubstr("rank_pattern"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c["modules_to_save"] = {"lm_head"}; }), HasSubstr("modules_to_save"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c["r"] = 0; }), HasSubstr("r must be at least 1"));
  EXPECT_THAT(error_with([](OrderedJson& c) { c.erase("lora_alpha"); }), HasSubstr("not an adapter's configuration"));
  EXPECT_EQ(error_with([](OrderedJson& c) { c["use_dora"] = false, c["modules_to_save"] = nullptr; }), "");
}

TEST_F(Lora, RankStabilisedScale) {
  EXPECT_EQ(error_with([](OrderedJson& c) { c["use_rslora"] = true, c["lora_alpha"] = 8, c["r"] = 4; }), "");
  CausalLm model = load("llama_gqa");
  read_adapter(folder_ / "adapter", model);
  EXPECT_EQ(model.linears().front()->low_rank->scale, 4.0);
}

TEST_F(Lora, AMissingHalfIsNoticed) {
  CausalLm model = load("llama_gqa");
  add_trained(model, 2, {"q_proj"});
  write_adapter(folder_ / "adapter", model, "base");
  std::vector<NamedTensor> parts = model.low_rank_parameters();
  const auto rewrite = [&](const std::vector<NamedTensor>& kept) {
    std::vector<TensorToWrite> tensors;
    for (const NamedTensor& t : kept) tensors.push_back(to_write(t.name, t.tensor, Dtype::kF32));
    write_safetensors(folder_ / "adapter/adapter_model.safetensors", tensors);
    return error_of([&] {
      CausalLm other = load("llama_gqa");
      read_adapter(folder_ / "adapter", other);
    });
  };
  EXPECT_THAT(rewrite({parts[0]}), HasSubstr("has no tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_B"));
  EXPECT_THAT(rewrite({parts[0], parts[1], parts[3]}), HasSubstr("has 3 tensors, of which 2 belong together"));
  EXPECT_THAT(rewrite({parts[0], parts[1], {"base_model.model.lm_head.weight", parts[0].tensor}}),
              HasSubstr("is not part of a LoRA adapter"));
}

// Frozen bfloat16 weights are the file's own memory.
TEST_F(Lora, FrozenBFloat16WeightsAreNotCopied) {
  const ModelFolder folder(kGolden / "qwen3_qknorm_bf16");
  const CausalLm one = folder.load(WeightDtype::kSame), two = folder.load(WeightDtype::kSame);
  EXPECT_EQ(one.linears().front()->weight.data_ptr(), two.linears().front()->weight.data_ptr());
  EXPECT_EQ(one.linears().front()->weight.scalar_type(), torch::kBFloat16);
  std::optional<CausalLm> kept;
  {
    const ModelFolder gone(kGolden / "qwen3_qknorm_bf16");
    kept = gone.load(WeightDtype::kSame);
  }
  EXPECT_TRUE(torch::equal(logprobs(*kept), logprobs(one))) << "the mapping lives as long as its tensors";
  folder.forget_pages();
  EXPECT_TRUE(torch::equal(logprobs(*kept), logprobs(one)));
}

}  // namespace
}  // namespace agro
