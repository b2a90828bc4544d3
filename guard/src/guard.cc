#include "openbook/guard/guard.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "answer/answerer.h"
#include "answer/checker.h"
#include "answer/conflicts.h"
#include "answer/record.h"
#include "loaded_guard.h"
#include "openbook/base/lines.h"
#include "openbook/base/log.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/guard/places.h"
#include "openbook/guard/provenance_log.h"
#include "openbook/retriever/retriever.h"

namespace openbook {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void require_question(std::string_view question) {
  require_utf8(question, "the question");
  if (is_blank(question)) throw Error(Code::kInvalidArgument, "the question is empty", "Ask something.");
}

attribution::HeadAtlas of_model(attribution::HeadAtlas atlas, const engine::Model& model) {
  atlas.require_model(model);
  return atlas;
}

class HeadGuard final : public Guard {
 public:
  explicit HeadGuard(guard::GuardParts parts)
      : model_(std::move(parts.model)),
        decoder_(model_),
        atlas_(of_model(std::move(parts.atlas), *model_)),
        monitor_(model_, atlas_),
        sentence_end_(*model_),
        prompts_(model_->tokenizer(), engine::read_chat_template(model_->folder())),
        embedder_(std::move(parts.embedder)),
        policy_(std::move(parts.policy)) {}

  void open_index(const std::filesystem::path& folder) {
    retriever_ = retriever::Retriever::open(folder, embedder_, retriever::OpenMode::kReadOnly);
  }
  void open_log(const std::filesystem::path& folder, const std::filesystem::path& key) {
    log_ = ProvenanceLog::open(folder, key, LogMode::kAppend);
  }

  Answer ask(std::string_view question, const AskOptions& options) const override {
    require_question(question);
    const Cancellation stop = stop_for(options);
    return answer(question, search(question, options), options, policy_, log_.get(), stop);
  }

  Answer ask(std::string_view question, const std::vector<Passage>& passages, const AskOptions& options) const override {
    require_question(question);
    return answer(question, passages, options, policy_, log_.get(), stop_for(options));
  }

  Answer ask_unguarded(std::string_view question, const std::vector<Passage>& passages,
                       const AskOptions& options) const override {
    require_question(question);
    return answer(question, passages, options, unguarded_, nullptr, stop_for(options));
  }

  Answer check(std::string_view question, const std::vector<Passage>& passages, std::string_view text,
               const Cancellation* cancellation) const override {
    require_question(question);
    require_utf8(text, "the answer");
    if (is_blank(text)) throw Error(Code::kInvalidArgument, "the answer is empty", "Give the answer that is to be checked.");
    AskOptions options;
    options.max_tokens = static_cast<int64_t>(model_->tokenizer().encode(text).size());
    const Cancellation stop(cancellation);
    const Reading reading(*this, question, build_prompt(question, passages, options, /*lead_in=*/false), options, stop);
    Answer judged = new_answer(reading.prompt, passages, unguarded_);
    guard::Checker(speaker(), unguarded_, reading.request()).read(judged, text);
    DocumentTexts documents(retriever_.get());
    resolve_citations(judged, documents);
    judged.conflicts = guard::find_conflicts(judged, context(reading));
    return judged;
  }

  std::string model_fingerprint() const override { return model_->fingerprint(); }
  std::string atlas_fingerprint() const override { return atlas_fingerprint_; }
  std::string device() const override { return model_->device().str(); }

  std::vector<Passage> search(std::string_view question, const AskOptions& options) const override {
    if (!retriever_) throw Error(Code::kFailedPrecondition, "no index was opened", "Give an index folder, or pass the passages.");
    return retriever_->search(question, {.limit = options.passages, .filter = options.filter});
  }

 private:
  guard::Speaker speaker() const { return {&decoder_, &monitor_, &atlas_, &sentence_end_}; }

  engine::Prompt build_prompt(std::string_view question, const std::vector<Passage>& passages, const AskOptions& options,
                              bool lead_in) const {
    engine::PromptRequest request;
    request.question = question;
    request.passages = passages;
    request.lead_in = lead_in;
    request.style = options.form == PromptForm::kBare ? engine::PromptStyle::kBare : engine::PromptStyle::kChat;
    const int64_t room = model_->config().max_positions - options.max_tokens - 1;
    if (room <= 0)
      throw Error(Code::kOutOfRange,
                  "an answer of " + std::to_string(options.max_tokens) + " tokens does not fit into the model's " +
                      std::to_string(model_->config().max_positions) + " positions",
                  "Ask for fewer tokens.");
    // The caller's passages are left out, and counted, rather than cut: a cut passage could be quoted wrongly.
    const std::vector<size_t> fitting = prompts_.passages_that_fit(request, room);
    if (fitting.empty() && !passages.empty()) refuse_too_long(request, room);
    request.passages.clear();
    for (const size_t index : fitting) request.passages.push_back(passages[index]);
    return prompts_.build(request, room);
  }

  // Without passages the answer would be one from memory.
  [[noreturn]] void refuse_too_long(engine::PromptRequest request, int64_t room) const {
    const size_t passages = request.passages.size();
    request.passages.clear();
    prompts_.build(request, room);  // throws when already the question is too long
    throw Error(Code::kOutOfRange,
                "none of the passages (" + std::to_string(passages) + ") fits into the " + std::to_string(room) +
                    " tokens that the model can read beside an answer",
                "Give shorter passages, or ingest the files: an index holds them in pieces.");
  }

  static bool has_room(const Passage& passage, const engine::Prompt& prompt) {
    return std::any_of(prompt.passages.begin(), prompt.passages.end(), [&](const Passage& read) {
      return read.document_id == passage.document_id && read.range == passage.range &&
             read.document_sha256 == passage.document_sha256;
    });
  }

  Answer new_answer(const engine::Prompt& prompt, const std::vector<Passage>& passages, const Policy& policy) const {
    Answer answer;
    answer.passages = prompt.passages;
    answer.passages_left_out = passages.size() - prompt.passages.size();
    for (const Passage& passage : passages)
      if (!has_room(passage, prompt) && std::find(answer.documents_left_out.begin(), answer.documents_left_out.end(),
                                                  passage.document_id) == answer.documents_left_out.end())
        answer.documents_left_out.push_back(passage.document_id);
    const TokenRange begun = prompt.begun_answer;
    answer.lead_in = model_->tokenizer().decode(std::span(prompt.tokens).subspan(begun.begin, begun.size()));
    answer.model_fingerprint = model_->fingerprint();
    answer.atlas_fingerprint = atlas_fingerprint_;
    answer.policy_fingerprint = policy.fingerprint();
    if (retriever_) answer.index_generation = retriever_->generation();
    return answer;
  }

  // What of a request is worked out once.
  struct Reading {
    Reading(const HeadGuard& guard, std::string_view asked, engine::Prompt made, const AskOptions& how, const Cancellation& until)
        : question(asked), prompt(std::move(made)), passages(guard::read_passages(prompt.passages)), options(&how), stop(&until) {
      if (!passages.empty())
        topic.emplace(question, passages, guard.model_->tokenizer(), *guard.embedder_, guard.atlas_.topic_similarity, stop);
    }
    Reading(const Reading&) = delete;  // its parts point at each other
    Reading& operator=(const Reading&) = delete;

    guard::Request request() const { return {&prompt, &question, &passages, topic ? &*topic : nullptr, options, stop}; }

    const guard::Question question;
    const engine::Prompt prompt;
    const std::vector<guard::ReadPassage> passages;
    std::optional<guard::Topic> topic;
    const AskOptions* options;
    const Cancellation* stop;
  };

  guard::JudgeContext context(const Reading& reading) const {
    return {&reading.prompt, &reading.passages, reading.topic ? &*reading.topic : nullptr, &atlas_, &reading.question};
  }

  // The stored documents that a request quotes, each read and checked against its hash once.
  class DocumentTexts {
   public:
    explicit DocumentTexts(const retriever::Retriever* retriever) : retriever_(retriever) {}
    bool stored() const { return retriever_ != nullptr; }
    const std::string& text(const std::string& sha256) {
      const auto known = texts_.find(sha256);
      return known != texts_.end() ? known->second : texts_.emplace(sha256, retriever_->document_text(sha256)).first->second;
    }

   private:
    const retriever::Retriever* retriever_;
    std::map<std::string, std::string> texts_;
  };

  static Cancellation stop_for(const AskOptions& options) {
    return Cancellation(options.cancellation, std::chrono::milliseconds(options.deadline_ms));
  }

  Answer answer(std::string_view question, const std::vector<Passage>& passages, const AskOptions& options, const Policy& policy,
                ProvenanceLog* log, const Cancellation& stop) const {
    const Reading reading(*this, question, build_prompt(question, passages, options, /*lead_in=*/true), options, stop);
    Answer answer = new_answer(reading.prompt, passages, policy);
    if (log) {
      answer.log_id = ProvenanceLog::new_answer_id();
      log->append(LogKind::kBegin, answer.log_id, guard::begin_record(question, policy, answer));
    }
    DocumentTexts documents(retriever_.get());
    const auto keep = [&](Answer& so_far) {
      resolve_citations(so_far, documents);
      if (log) log->append(LogKind::kSentence, so_far.log_id, guard::sentence_record(so_far));
    };
    guard::Answerer(speaker(), policy, reading.request(), keep).run(answer);
    answer.conflicts = guard::find_conflicts(answer, context(reading));
    if (answer.outcome == Outcome::kRefused) answer.text = policy.refusal_text;
    if (answer.outcome == Outcome::kAbstained) answer.text = policy.abstained_text;
    if (log) answer.log_receipt = to_string(log->append(LogKind::kEnd, answer.log_id, guard::end_record(answer)));
    return answer;
  }

  // A quote is what the store holds, or it is not shown.
  static void resolve_citations(Answer& answer, DocumentTexts& documents) {
    for (Citation& citation : answer.citations) {
      if (citation.line > 0) continue;
      const Passage& passage = passage_of(answer, citation);
      if (documents.stored() && passage.chunk_id != 0) {
        const std::string& document = documents.text(citation.document_sha256);
        require_quote(citation, document);
        citation.line = line_number(document, citation.source.begin);
      } else if (const int64_t first = passage.range.begin == 0 ? 1 : passage.line; first > 0) {
        citation.line = first - 1 + line_number(passage.text, citation.source.begin - passage.range.begin);
      }
    }
  }

  static const Passage& passage_of(const Answer& answer, const Citation& citation) {
    return *std::find_if(answer.passages.begin(), answer.passages.end(), [&](const Passage& passage) {
      return passage.document_id == citation.document_id && passage.document_sha256 == citation.document_sha256 &&
             passage.range.begin <= citation.source.begin && citation.source.end <= passage.range.end;
    });
  }

  static void require_quote(const Citation& citation, const std::string& document) {
    if (citation.source.end <= static_cast<int64_t>(document.size()) && slice(document, citation.source) == citation.quote)
      return;
    throw Error(Code::kDataLoss,
                "document " + citation.document_id + ": bytes " + std::to_string(citation.source.begin) + " to " +
                    std::to_string(citation.source.end) + " are not what was quoted",
                "The index changed or is damaged; ingest the document again.");
  }

  std::shared_ptr<const engine::Model> model_;
  engine::Decoder decoder_;
  attribution::HeadAtlas atlas_;
  std::string atlas_fingerprint_ = atlas_.fingerprint();
  guard::HeadMonitor monitor_;
  guard::SentenceEnd sentence_end_;
  engine::PromptBuilder prompts_;
  std::shared_ptr<const Embedder> embedder_;
  Policy policy_;
  const Policy unguarded_ = Policy::annotate();
  std::unique_ptr<retriever::Retriever> retriever_;
  std::unique_ptr<ProvenanceLog> log_;
};

}  // namespace

std::unique_ptr<Guard> guard::make_guard(GuardParts parts) { return std::make_unique<HeadGuard>(std::move(parts)); }

std::unique_ptr<Guard> Guard::open(const GuardOptions& options) {
  guard::GuardParts parts{.policy = options.policy};
  const auto model = find(Place::kModel, options.model.string()).path;
  parts.model = engine::Model::load(model, {.device = options.device, .dtype = options.dtype});
  parts.atlas = attribution::HeadAtlas::load(find(Place::kAtlas, options.atlas.string()).path);
  parts.embedder = engine::TextEncoder::load(find(Place::kEmbedder, options.embedder.string()).path, options.device);
  auto guard = std::make_unique<HeadGuard>(std::move(parts));
  if (!options.index.empty()) guard->open_index(options.index);
  if (!options.log.empty()) guard->open_log(options.log, options.log_key);
  return guard;
}

}  // namespace openbook
