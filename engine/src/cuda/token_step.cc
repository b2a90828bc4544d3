#include "cuda/token_step.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/kernels.h"
#include "decoder/attention.h"
#include "decoder/element_type.h"

namespace openbook::engine::cuda {
namespace {

constexpr size_t kMostGraphs = 4;  // plain and steered, and one more of each; a session has two

template <typename Element>
CachedHeads<Element> heads_of(const at::Tensor& cached) {  // [..., positions, d_head]
  return {cached.mutable_data_ptr<Element>(), cached.size(-2) * cached.size(-1)};
}

template <typename Element>
Element* row_of(const at::Tensor& rows, int64_t row) {
  return rows.mutable_data_ptr<Element>() + row * rows.stride(0);
}

}  // namespace

struct TokenStep::Graph {
  std::optional<HeadTaps> taps;  // shares the session's buffers
  at::Tensor gains, biases;      // the session's edits; undefined where none act
  bool enqueued = false;         // once kernel by kernel, which also loads their code: that can't be done while capturing
  CUgraphExec_st* captured = nullptr;
  at::Device device;
  Stream launched_on = nullptr;

  Graph(at::Device device, const HeadTaps* observed, const HeadEdits* edits) : device(device) {
    if (observed != nullptr) taps = *observed;
    if (edits != nullptr) {
      gains = edits->gains();
      biases = edits->biases();
    }
  }
  ~Graph() {
    if (captured == nullptr) return;
    const c10::cuda::CUDAGuard guard(device);
    cudaStreamSynchronize(launched_on);  // a graph may not go while it runs
    cudaGraphExecDestroy(captured);
  }
  bool serves(const HeadTaps* observed, const HeadEdits* edits) const {
    return (observed == nullptr ? !taps : taps && taps->z().is_same(observed->z())) &&
           (edits == nullptr ? !gains.defined() : gains.is_same(edits->gains()));
  }
  ScoreBias bias(const at::Tensor& chosen, int64_t layer) const {
    if (!biases.defined()) return {};
    return {row_of<float>(biases, layer), chosen.const_data_ptr<float>()};
  }
};

bool TokenStep::takes(const std::vector<Sequence>& sequences, const Model& model) {
  return model.device().is_cuda() && sequences.size() == 1 && sequences[0].tokens.size() == 1 &&
         attends(sequences[0].cache->capacity(), model.config().d_head);
}

TokenStep::TokenStep(std::shared_ptr<const Model> model, const KvCache& cache)
    : model_(std::move(model)), keys_(cache.keys()), values_(cache.values()) {
  const ModelConfig& config = model_->config();
  const auto options = at::TensorOptions(model_->dtype()).device(model_->device());
  position_ = at::empty({1}, options.dtype(at::kInt));
  resid_ = at::empty({config.d_model}, options);
  qkv_ = at::empty({(config.heads + 2 * config.kv_heads) * config.d_head}, options);
  queries_ = at::empty({config.heads * config.d_head}, options);
  z_ = at::empty_like(queries_);
  gated_ = at::empty({config.d_mlp}, options);
  parts_ = at::empty({config.heads, attention_parts(cache.capacity()), config.d_head + 2}, options.dtype(at::kFloat));
  finished_ = at::zeros({config.heads}, options.dtype(at::kInt));
  chosen_ = at::zeros({cache.capacity()}, options.dtype(at::kFloat));
}

TokenStep::~TokenStep() = default;

at::Tensor TokenStep::run(const Sequence& sequence) {
  const ModelConfig& config = model_->config();
  const int64_t position = sequence.cache->size();
  const bool edited = sequence.edits != nullptr && position >= sequence.edits->from_position && !sequence.edits->neutral();
  const HeadEdits* edits = edited ? sequence.edits : nullptr;
  const c10::cuda::CUDAGuard guard(model_->device());
  const Stream stream = c10::cuda::getCurrentCUDAStream().stream();
  Graph& graph = graph_of(sequence.taps, edits);
  if (edits != nullptr) choose_keys(*edits);
  const at::Tensor logits = at::empty({1, config.vocabulary}, chosen_.options());
  if (graph.enqueued && graph.captured == nullptr) capture(graph);
  with_element_type(resid_, [&]<typename Element>(const Element*) {
    begin_token(elements<Element>(model_->embedding()), sequence.tokens[0], config.d_model, static_cast<int32_t>(position),
                resid_.mutable_data_ptr<Element>(), position_.mutable_data_ptr<int32_t>(), stream);
    if (graph.captured != nullptr) {
      C10_CUDA_CHECK(cudaGraphLaunch(graph.captured, stream));
      graph.launched_on = stream;
    } else {
      enqueue<Element>(graph, stream);
    }
    const Operand<Element> final = {elements<Element>(resid_), elements<Element>(model_->final_norm()),
                                    static_cast<float>(config.norm_epsilon)};
    matrix_times_vector<Element>(elements<Element>(model_->unembedding()), final, nullptr, config.vocabulary, config.d_model,
                                 /*add=*/false, logits.mutable_data_ptr<float>(), stream);
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  graph.enqueued = true;
  return logits;
}

TokenStep::Graph& TokenStep::graph_of(const HeadTaps* taps, const HeadEdits* edits) {
  for (const auto& graph : graphs_)
    if (graph->serves(taps, edits)) return *graph;
  if (graphs_.size() == kMostGraphs) graphs_.erase(graphs_.begin());
  return *graphs_.emplace_back(std::make_unique<Graph>(model_->device(), taps, edits));
}

void TokenStep::choose_keys(const HeadEdits& edits) {
  if (edits.biased_keys() == chosen_keys_) return;
  chosen_.copy_(indicator(edits.biased_keys(), chosen_.size(0), at::kFloat));  // made on the CPU, sent once
  chosen_keys_ = edits.biased_keys();
}

template <typename Element>
void TokenStep::enqueue(const Graph& graph, Stream stream) const {
  for (int64_t layer = 0; layer < model_->config().layers; ++layer) enqueue_layer<Element>(graph, layer, stream);
  if (graph.taps) enqueue_taps<Element>(graph, stream);
}

template <typename Element>
void TokenStep::enqueue_layer(const Graph& graph, int64_t layer, Stream stream) const {
  const ModelConfig& config = model_->config();
  const LayerWeights& weights = model_->layer(layer);
  const auto epsilon = static_cast<float>(config.norm_epsilon);
  Element *resid = resid_.mutable_data_ptr<Element>(), *qkv = qkv_.mutable_data_ptr<Element>(),
          *gated = gated_.mutable_data_ptr<Element>();
  // A tapped layer's queries and z are made where the taps read them.
  const bool tapped = graph.taps && graph.taps->taps_layer(layer);
  Element* queries = tapped ? row_of<Element>(graph.taps->layer_queries(), layer) : queries_.mutable_data_ptr<Element>();
  Element* z = tapped ? row_of<Element>(graph.taps->layer_z(), layer) : z_.mutable_data_ptr<Element>();
  const auto product = [&](const at::Tensor& weight, const at::Tensor& bias, Operand<Element> x, bool add, Element* y) {
    matrix_times_vector(elements<Element>(weight), x, elements<Element>(bias), weight.size(0), weight.size(1), add, y, stream);
  };
  const auto normed = [&](const at::Tensor& gain) { return Operand<Element>{resid, elements<Element>(gain), epsilon}; };

  product(weights.qkv, weights.qkv_bias, normed(weights.attention_norm), /*add=*/false, qkv);
  attend(TokenHeads<Element>{qkv, elements<float>(model_->rope_cos()), elements<float>(model_->rope_sin()), queries},
         {static_cast<int>(config.heads), static_cast<int>(config.kv_heads), static_cast<int>(config.d_head)},
         heads_of<Element>(keys_[layer]), heads_of<Element>(values_[layer]), graph.bias(chosen_, layer),
         graph.gains.defined() ? row_of<float>(graph.gains, layer) : nullptr, position_.const_data_ptr<int32_t>(), keys_.size(2),
         {parts_.mutable_data_ptr<float>(), finished_.mutable_data_ptr<int32_t>()}, z, stream);
  product(weights.attention_out, weights.attention_out_bias, {z}, /*add=*/true, resid);
  gated_matrix_times_vector(elements<Element>(weights.gate_up), normed(weights.mlp_norm), elements<Element>(weights.gate_up_bias),
                            config.d_mlp, config.d_model, gated, stream);
  product(weights.mlp_down, weights.mlp_down_bias, {gated}, /*add=*/true, resid);
}

template <typename Element>
void TokenStep::enqueue_taps(const Graph& graph, Stream stream) const {
  const HeadTaps& taps = *graph.taps;
  const ModelConfig& config = model_->config();
  gather_rows(resid_.const_data_ptr<Element>(), nullptr, 1, config.d_model, taps.resid_final().mutable_data_ptr<float>(), stream);
  const auto heads = static_cast<int64_t>(taps.heads().size());
  if (heads == 0) return;
  const int64_t *query_rows = elements<int64_t>(taps.query_rows()), *key_rows = elements<int64_t>(taps.key_rows());
  gather_rows(taps.layer_z().const_data_ptr<Element>(), query_rows, heads, config.d_head, taps.z().mutable_data_ptr<float>(),
              stream);
  patterns(taps.layer_queries().const_data_ptr<Element>(), query_rows, heads_of<Element>(keys_), key_rows, graph.bias(chosen_, 0),
           heads, config.d_head, position_.const_data_ptr<int32_t>(), keys_.size(2), {taps.keys().begin, taps.keys().end},
           taps.pattern().mutable_data_ptr<float>(), stream);
}

// On a stream of its own: the current one may be the device's default, which can't be captured. Meanwhile other threads may use
// theirs.
void TokenStep::capture(Graph& graph) const {
  Stream stream = nullptr;
  C10_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  const std::unique_ptr<CUstream_st, cudaError_t (*)(Stream)> owned(stream, cudaStreamDestroy);
  C10_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  with_element_type(resid_, [&]<typename Element>(const Element*) { enqueue<Element>(graph, stream); });
  cudaGraph_t captured = nullptr;
  C10_CUDA_CHECK(cudaStreamEndCapture(stream, &captured));
  const cudaError_t made = cudaGraphInstantiate(&graph.captured, captured, 0);
  cudaGraphDestroy(captured);
  C10_CUDA_CHECK(made);
}

}  // namespace openbook::engine::cuda
