// openbook's facade: ask documents a question and get an answer whose every claim is copied and cited, flagged, or refused.
//
// Thread-safe: one Guard serves many threads; each call has a session of its own. Owns model, encoder, atlas and retriever.
// Throws openbook::Error; a refusal is a result, not an error.
//
//   auto guard = Guard::open({.index = "handbook.index"});   // model, text encoder and atlas: those that set-up made
//   Answer answer = guard->ask("How many days of leave do I get?");
//   for (const Citation& citation : answer.citations) std::cout << citation.document_id << ": " << citation.quote << '\n';
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/base/passage.h"
#include "openbook/guard/answer.h"
#include "openbook/guard/policy.h"

namespace openbook {

struct GuardOptions {
  // Each of these three is looked for where it is empty, as places.h says: an OPENBOOK_* variable, then what set-up made.
  std::filesystem::path model;     // Hugging Face folder
  std::filesystem::path embedder;  // Hugging Face folder of the text encoder; needed by an index and by the topic check
  std::filesystem::path atlas;     // head atlas of that model
  std::filesystem::path index;     // retriever folder; empty: only given passages
  std::filesystem::path log;       // provenance log folder; empty: no log
  std::filesystem::path log_key;   // its key file
  Policy policy;
  std::string device = "auto";    // "cpu", "cuda", "auto"
  std::string dtype = "float32";  // "bfloat16" is faster; the shipped atlas is validated for both by `atlas check`
};

// How the documents and the question are put to the model.
enum class PromptForm {
  kChat,  // instructions, documents, question
  kBare,  // documents, then a sentence to be continued
};

struct AskOptions {
  size_t passages = 4;       // retrieved at most
  int64_t max_tokens = 128;  // of the answer
  double temperature = 0;    // 0: greedy
  uint64_t seed = 0;
  // 0: none. From the call on, the search included. Past it the call throws deadline_exceeded within the time of one layer of the
  // model, and there is no answer. Sentences that on_text was given by then were judged, and their records are in the log, where
  // the answer reads as interrupted.
  int64_t deadline_ms = 0;
  PromptForm form = PromptForm::kChat;
  const Cancellation* cancellation = nullptr;  // looked at before every layer of the model
  // Documents that this user may see (SearchOptions::filter). Empty: all.
  std::function<bool(const std::string& document_id, const std::map<std::string, std::string>& metadata)> filter;
  // Called with every sentence once it is judged, its record synced. Under a policy that streams words also with every word
  // before that: provisional, and flagged, since nothing of it is judged yet.
  std::function<void(std::string_view text, Delivery delivery, bool provisional)> on_text;
};

class Guard {
 public:
  // Throws not_found, invalid_argument, failed_precondition (atlas of another model, index of another embedder), data_loss,
  // unavailable.
  static std::unique_ptr<Guard> open(const GuardOptions& options);
  virtual ~Guard() = default;

  // Retrieves passages and answers from them. Throws failed_precondition without an index or on an empty one.
  virtual Answer ask(std::string_view question, const AskOptions& options = {}) const = 0;

  // Answers from the given passages, best first.
  virtual Answer ask(std::string_view question, const std::vector<Passage>& passages, const AskOptions& options = {}) const = 0;

  // The same model and passages without the guard: what it says, every word judged, nothing held back (policy `annotate`, no
  // log).
  virtual Answer ask_unguarded(std::string_view question, const std::vector<Passage>& passages,
                               const AskOptions& options = {}) const = 0;

  // Judges an answer that somebody else wrote, read token by token by this model: whether the passages say it, not whether it is
  // a good answer. A sentence that stands in a passage word for word is supported (Sentence::quoted); any other one must be
  // copied, by the heads, and say what one sentence of the passages says. Nothing is steered, and nothing is logged.
  virtual Answer check(std::string_view question, const std::vector<Passage>& passages, std::string_view answer,
                       const Cancellation* cancellation = nullptr) const = 0;

  virtual std::string model_fingerprint() const = 0;
  virtual std::string atlas_fingerprint() const = 0;
  virtual std::string device() const = 0;  // "cpu", "cuda:0"

  // What `ask(question)` would read.
  virtual std::vector<Passage> search(std::string_view question, const AskOptions& options = {}) const = 0;
};

}  // namespace openbook
