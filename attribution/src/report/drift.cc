#include "report/drift.h"

#include <ATen/ATen.h>

#include <cstring>

#include "json/parse_json.h"
#include "openbook/attribution/atlas_check.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/temporary_folder.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kLevels = 127;

// In place.
void round_rows(at::Tensor weights) {
  const at::Tensor values = weights.to(at::kFloat);
  const at::Tensor scale = std::get<0>(values.abs().max(1, true)).clamp_min(1e-12) / static_cast<double>(kLevels);
  weights.copy_(at::round(values / scale) * scale);
}

// A row of the table; every share with its interval.
Json row_of(const std::string& variant, const AtlasCheck& check) {
  std::vector<ClusteredScore> scores;
  std::vector<ClusteredValue> places, passed, blamed;
  for (const CheckedAnswer& each : check.answers) {
    scores.push_back({each.subject, each.probability_copied, each.copied});
    if (each.place_found) places.push_back({each.subject, *each.place_found ? 1.0 : 0.0});
    if (each.copied)
      blamed.push_back({each.subject, each.blamed ? 1.0 : 0.0});
    else
      passed.push_back({each.subject, each.passes ? 1.0 : 0.0});
  }
  return {variant,
          check.facts,
          check.copied,
          check.recited,
          auc_of(scores).to_json(),
          mean_of(places).to_json(),
          mean_of(passed).to_json(),
          mean_of(blamed).to_json(),
          check.holds ? "holds" : "does not hold: " + check.reason};
}

}  // namespace

void write_rounded_model(const std::filesystem::path& folder, const std::filesystem::path& rounded) {
  const std::filesystem::path weights = folder / "model.safetensors";
  if (!is_there(weights))
    throw Error(Code::kUnimplemented, folder.string() + ": only a model in one model.safetensors can be rounded", "");
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path() != weights)
      std::filesystem::copy(file.path(), rounded / file.path().filename(), std::filesystem::copy_options::recursive);
  std::string bytes = read_file(weights, UINT64_MAX);
  uint64_t header_size = 0;  // Safetensors::open has checked header and offsets when the model was loaded
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const nlohmann::json header = parse_json(std::string_view(bytes).substr(8, header_size), weights.string());
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__" || tensor["shape"].size() != 2) continue;
    const std::string dtype = tensor["dtype"];
    if (dtype != "F32" && dtype != "BF16")
      throw Error(Code::kUnimplemented, name + ": weights of dtype " + dtype + " can't be rounded", "");
    const std::vector<int64_t> shape = tensor["shape"];
    char* begin = bytes.data() + 8 + header_size + tensor["data_offsets"][0].get<uint64_t>();
    at::Tensor copy = at::empty(shape, dtype == "F32" ? at::kFloat : at::kBFloat16);  // the file's bytes need not be aligned
    std::memcpy(copy.data_ptr(), begin, copy.nbytes());
    round_rows(copy);
    std::memcpy(begin, copy.data_ptr(), copy.nbytes());
  }
  write_file_atomically(rounded / "model.safetensors", bytes);
}

Json run_drift(const Laboratory& laboratory) {
  const engine::Model& model = laboratory.model();
  const AtlasCheckOptions options{.facts = laboratory.sample(100, 8), .seed = laboratory.seed};
  const std::string device = model.device().str();
  Json rows = Json::array(), left_out = Json::array();
  const auto attempt = [&](const std::string& variant, const std::function<std::shared_ptr<const engine::Model>()>& load) {
    try {
      rows.push_back(row_of(variant, check_atlas(load(), *laboratory.facts, *laboratory.atlas, options, laboratory.progress,
                                                 laboratory.cancellation)));
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled) throw;
      left_out.push_back(variant + ": " + error.what());
    }
  };
  attempt("as it is", [&] { return laboratory.decoder->shared_model(); });
  const bool whole = model.dtype() == at::kFloat;
  attempt(whole ? "bfloat16" : "float32",
          [&] { return engine::Model::load(model.folder(), {.device = device, .dtype = whole ? "bfloat16" : "float32"}); });
  const TemporaryFolder rounded;  // the model reads its chat template there later
  attempt("weights rounded to 8 bits", [&] {
    write_rounded_model(model.folder(), rounded.path());
    return engine::Model::load(rounded.path(), {.device = device, .dtype = whole ? "float32" : "bfloat16"});
  });
  left_out.push_back(
      "a fine-tuned model: openbook doesn't train. attribution/tools/fine_tune.py MODEL OUT --text DIR --steps 20 makes one, and "
      "`openbook atlas check --model OUT` judges it; docs/measurements.md says what came of it for SmolLM2");
  return {{"tables",
           {{{"title", "The atlas on changed models"},
             {"columns",
              {"model", "facts", "copied", "recited", "AUC", "place top-1", "recited passed", "copied blamed", "the atlas"}},
             {"rows", std::move(rows)},
             {"note",
              "Of facts that the model knows, asked with a document that contradicts them, with and without instructions, and "
              "without one."}}}},
          {"left_out", std::move(left_out)}};
}

}  // namespace openbook::attribution
