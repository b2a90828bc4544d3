#include <algorithm>

#include "answer/answer_json.h"
#include "eval/eval.h"
#include "eval/row_loop.h"
#include "eval/shares.h"
#include "openbook/base/words.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kAnswerTokens = 64;
constexpr double kParaphraseRecall = 0.5;  // of the reference's words

struct AskedRow {
  Answer unguarded, guarded;
};

std::vector<AskedRow> ask_all(const Guard& guard, const std::vector<nlohmann::json>& rows,
                              const std::function<std::vector<Passage>(const nlohmann::json&)>& passages_of,
                              const std::string& stage, const EvalOptions& options) {
  std::vector<AskedRow> asked(rows.size());
  AskOptions ask;
  ask.max_tokens = kAnswerTokens;
  ask.cancellation = options.cancellation;
  for_each_row(options, stage, rows.size(), [&](size_t i) {
    const std::string question = rows[i]["question"];
    const std::vector<Passage> passages = passages_of(rows[i]);
    asked[i].unguarded = guard.ask_unguarded(question, passages, ask);
    if (options.guarded) asked[i].guarded = guard.ask(question, passages, ask);
    Json json = {{"id", rows[i].value("id", "")}, {"question", question}, {"unguarded", brief(asked[i].unguarded)}};
    if (options.guarded) json["guarded"] = brief(asked[i].guarded);
    return json;
  });
  return asked;
}

double word_recall(const std::string& text, const std::string& reference) {
  std::vector<std::string> said = folded_words(text);
  const std::vector<std::string> wanted = folded_words(reference);
  int64_t found = 0;
  for (const std::string& word : wanted) {
    const auto at = std::find(said.begin(), said.end(), word);
    if (at == said.end()) continue;
    said.erase(at);
    ++found;
  }
  return wanted.empty() ? 0 : static_cast<double>(found) / static_cast<double>(wanted.size());
}

}  // namespace

Json eval_read(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options) {
  const auto rows = attribution::draw_rows(
      attribution::read_rows(file,
                             {{"id", attribution::FieldKind::kText, true}, {"question"}, {"document"}, {"answer"}, {"title"}}),
      options.limit, options.seed);
  const auto asked = ask_all(
      guard, rows, [](const nlohmann::json& row) { return std::vector{whole_document(row["title"], row["document"])}; }, "read",
      options);
  Share delivered, precision, unguarded, paraphrase, steered;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string title = rows[i]["title"], answer = rows[i]["answer"];
    unguarded.add(title, holds_words(asked[i].unguarded.text, answer));
    if (!options.guarded) continue;
    const bool shown = asked[i].guarded.outcome == Outcome::kAnswered;
    delivered.add(title, shown);
    if (shown) {
      precision.add(title, holds_words(asked[i].guarded.text, answer));
      steered.add(title, std::any_of(asked[i].guarded.sentences.begin(), asked[i].guarded.sentences.end(),
                                     [](const Sentence& s) { return s.steered; }));
    } else {
      paraphrase.add(title, !holds_words(asked[i].unguarded.text, answer) &&
                                word_recall(asked[i].unguarded.text, answer) >= kParaphraseRecall);
    }
  }
  Json json = {{"rows", rows.size()}, {"unguarded_precision", unguarded.to_json()}};
  if (!options.guarded) return json;
  json["delivered"] = delivered.to_json();
  json["precision"] = precision.to_json();
  json["steered"] = steered.to_json();
  json["paraphrase_refused"] = paraphrase.to_json();
  return json;
}

Json eval_unanswerable(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options) {
  const auto rows = attribution::draw_rows(
      attribution::read_rows(
          file,
          {{"id"}, {"question"}, {"passages", attribution::FieldKind::kPassages}, {"answerable", attribution::FieldKind::kFlag}}),
      options.limit, options.seed);
  const auto passages_of = [](const nlohmann::json& row) {
    std::vector<Passage> passages;
    for (const auto& passage : row["passages"]) passages.push_back(whole_document(passage["title"], passage["text"]));
    return passages;
  };
  const auto asked = ask_all(guard, rows, passages_of, "unanswerable", options);
  Share refused, answered, unguarded_refused, unguarded_answered;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string id = rows[i]["id"];
    const bool answerable = rows[i]["answerable"];
    (answerable ? unguarded_answered : unguarded_refused)
        .add(id, answerable == (asked[i].unguarded.outcome == Outcome::kAnswered));
    if (options.guarded)
      (answerable ? answered : refused).add(id, answerable == (asked[i].guarded.outcome == Outcome::kAnswered));
  }
  Json json = {{"rows", rows.size()}};
  if (options.guarded) json["refused_unanswerable"] = refused.to_json();
  json["unguarded_refused_unanswerable"] = unguarded_refused.to_json();
  if (options.guarded) json["answered_answerable"] = answered.to_json();
  json["unguarded_answered_answerable"] = unguarded_answered.to_json();
  return json;
}

}  // namespace openbook::guard
