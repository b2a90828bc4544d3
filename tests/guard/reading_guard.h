// A Guard over a hand-written model, in a temporary folder: everything is real but the weights.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "guard/reading_llama.h"
#include "openbook/base/file.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/guard/guard.h"
#include "openbook/guard/provenance_log.h"
#include "openbook/retriever/retriever.h"

namespace openbook::test {

inline const std::string kQuestion = "What is the capital of Norway?";
inline const std::string kBergen = "The capital of Norway is Bergen.";

class ReadingGuardTest : public testing::Test {
 protected:
  // Writes model and atlas, which `change` may change before it is saved, and says where everything is.
  GuardOptions options(const ReadingLlama& model, const std::function<void(attribution::HeadAtlas&)>& change = {}) const {
    model.write(folder_ / "model");
    attribution::HeadAtlas atlas = reading_atlas(folder_ / "model");
    if (change) change(atlas);
    atlas.save(folder_ / "atlas.json");
    GuardOptions options;
    options.model = folder_ / "model";
    options.embedder = golden("tiny_bert");
    options.atlas = folder_ / "atlas.json";
    options.device = "cpu";
    return options;
  }
  // The same with a fresh provenance log.
  GuardOptions with_log(GuardOptions options) const {
    options.log = folder_ / "log";
    options.log_key = folder_ / "log.key";
    ProvenanceLog::init(options.log, options.log_key);
    return options;
  }
  std::unique_ptr<ProvenanceLog> read_log() const {
    return ProvenanceLog::open(folder_ / "log", folder_ / "log.key", LogMode::kReadOnly);
  }

  // For ingesting; the folder is made when it is not there.
  static std::unique_ptr<retriever::Retriever> open_index(const std::filesystem::path& folder) {
    return retriever::Retriever::open(folder, engine::TextEncoder::load(golden("tiny_bert")), retriever::OpenMode::kReadWrite,
                                      {.max_tokens = 30, .overlap_tokens = 0});
  }

  static std::vector<Passage> documents(const std::vector<std::string>& texts) {
    std::vector<Passage> passages;
    for (const std::string& text : texts)
      passages.push_back(whole_document("document-" + std::to_string(passages.size() + 1), text));
    return passages;
  }

  // Rows of an evaluation, as JSON Lines.
  std::filesystem::path file(const std::vector<nlohmann::json>& rows) const {
    std::string text;
    for (const nlohmann::json& each : rows) text += each.dump() + "\n";
    write_file_atomically(folder_ / "rows.jsonl", text);
    return folder_ / "rows.jsonl";
  }

  TemporaryFolder folder_;
};

}  // namespace openbook::test
