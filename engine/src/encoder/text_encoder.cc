#include "openbook/engine/text_encoder.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include "decoder/torch_errors.h"
#include "encoder/bert.h"
#include "encoder/sentence_config.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "openbook/engine/tokenizer.h"
#include "weights/device.h"
#include "weights/model_folder.h"

namespace openbook::engine {
namespace {

constexpr size_t kBatch = 32;

// The folder's own name, whatever the path to it looks like: "." and "models/x/" have one, too.
std::string name_of(const std::filesystem::path& folder) {
  std::error_code unreadable;  // reading what is in it says why
  return std::filesystem::weakly_canonical(folder, unreadable).filename().string();
}

using Input = std::vector<int64_t>;  // token ids of a text, special ones included

class BertTextEncoder : public TextEncoder {
 public:
  BertTextEncoder(const std::filesystem::path& folder, at::Device device)
      : name_(name_of(folder)), bert_(Bert::load(folder, device)), tokenizer_(load_tokenizer(folder)) {
    const BertConfig& config = bert_.config();
    require_mean_pooling(folder, config.d_model);
    if (tokenizer_->vocabulary_size() > config.vocabulary)
      throw Error(Code::kInvalidArgument,
                  folder.string() + ": the tokenizer has " + std::to_string(tokenizer_->vocabulary_size()) +
                      " ids and the model (config.json: vocab_size) only " + std::to_string(config.vocabulary),
                  "The tokenizer belongs to another model.");
    cls_ = special_token(folder, "[CLS]");
    sep_ = special_token(folder, "[SEP]");
    max_sequence_ = read_max_sequence(folder, config.max_positions);
    fingerprint_ = sha256_hex("openbook text encoder 1\n" + bert_.weights_fingerprint() + "\n" + tokenizer_->fingerprint() +
                              "\n" + sha256_hex(read_file(folder / "config.json")) + "\n" + std::to_string(max_sequence_));
  }

  int64_t dimension() const override { return bert_.config().d_model; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string name() const override { return name_; }
  int64_t max_tokens() const override { return max_sequence_ - 2; }  // [CLS] and [SEP] take two
  int64_t count_tokens(std::string_view text) const override { return static_cast<int64_t>(tokenizer_->encode(text).size()); }

  std::vector<float> embed(const std::vector<std::string>& texts) const override {
    const c10::InferenceMode no_gradients;
    std::vector<Input> inputs;
    for (const std::string& text : texts) inputs.push_back(input_of(text));
    // Texts of about one length run together, so that little is padded.
    std::vector<size_t> by_length(texts.size());
    std::iota(by_length.begin(), by_length.end(), size_t{0});
    std::stable_sort(by_length.begin(), by_length.end(), [&](size_t a, size_t b) { return inputs[a].size() < inputs[b].size(); });

    const auto width = static_cast<size_t>(dimension());
    std::vector<float> vectors(texts.size() * width);
    for (size_t begin = 0; begin < texts.size(); begin += kBatch) {
      const std::span<const size_t> batch = std::span(by_length).subspan(begin, std::min(kBatch, texts.size() - begin));
      const at::Tensor rows = translating_torch_errors("text encoder " + name_, [&] { return pooled(inputs, batch); });
      for (size_t i = 0; i < batch.size(); ++i)
        std::memcpy(vectors.data() + batch[i] * width, rows.const_data_ptr<float>() + i * width, width * sizeof(float));
    }
    return vectors;
  }

 private:
  int64_t special_token(const std::filesystem::path& folder, const char* token) const {
    if (const std::optional<TokenId> id = tokenizer_->find(token)) return *id;
    throw Error(Code::kInvalidArgument,
                folder.string() + ": the tokenizer has no " + token + ", which BERT's inputs begin or end with");
  }

  Input input_of(std::string_view text) const {
    Input ids{cls_};
    for (const Token& token : tokenizer_->encode(text)) {
      if (static_cast<int64_t>(ids.size()) == max_sequence_ - 1) break;
      ids.push_back(token.id);
    }
    ids.push_back(sep_);
    return ids;
  }

  // The mean over each text's tokens, scaled to length 1: float32 [batch.size(), d_model] on the CPU. `batch` is sorted by
  // length.
  at::Tensor pooled(const std::vector<Input>& inputs, std::span<const size_t> batch) const {
    const auto texts = static_cast<int64_t>(batch.size()), tokens = static_cast<int64_t>(inputs[batch.back()].size());
    const at::Tensor ids = at::zeros({texts, tokens}, at::kLong), lengths = at::empty({texts, 1}, at::kLong);
    for (int64_t i = 0; i < texts; ++i) {
      const Input& input = inputs[batch[i]];
      std::copy(input.begin(), input.end(), ids.mutable_data_ptr<int64_t>() + i * tokens);
      lengths.mutable_data_ptr<int64_t>()[i] = static_cast<int64_t>(input.size());
    }
    const at::Tensor there = (at::arange(tokens) < lengths).to(bert_.device());
    const bool padded = inputs[batch.front()].size() != inputs[batch.back()].size();
    const at::Tensor hidden = bert_.run(ids.to(bert_.device()), padded ? there : at::Tensor());
    const at::Tensor means = hidden.masked_fill(there.logical_not().unsqueeze(-1), 0).sum(1) / lengths.to(bert_.device());
    const at::Tensor rows = (means / means.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12)).cpu().contiguous();
    if (!rows.isfinite().all().item<bool>())
      throw Error(Code::kInternal, "text encoder " + name_ + " gave a vector that is not finite",
                  "Its weights may be damaged. Fetch them again.");
    return rows;
  }

  std::string name_;
  Bert bert_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string fingerprint_;
  int64_t cls_ = 0, sep_ = 0, max_sequence_ = 0;
};

}  // namespace

std::shared_ptr<const TextEncoder> TextEncoder::load(const std::filesystem::path& folder, const std::string& device) {
  const at::Device on = device_named(device);
  require_model_folder(folder);
  return translating_torch_errors("loading " + folder.string(), [&] { return std::make_shared<BertTextEncoder>(folder, on); });
}

}  // namespace openbook::engine
