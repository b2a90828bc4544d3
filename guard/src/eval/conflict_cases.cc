#include "eval/conflict_cases.h"

#include "eval/rows.h"
#include "openbook/base/sentences.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

using attribution::Setting;

// Names the memory answer where it has nothing to do with the question.
std::string decoy_text(const std::string& memory_answer) {
  return "A short article about " + memory_answer + " appeared in a weekly magazine last spring. Readers wrote many letters about it, and " + memory_answer +
         " was chosen as the title of the yearly collection.";
}

std::string without_sentences_holding(const std::string& document, const std::string& words) {
  std::string kept;
  for (const ByteSpan& sentence : split_sentences(document)) {
    const std::string_view text = slice(document, sentence);
    if (!holds_words(text, words)) (kept += kept.empty() ? "" : " ") += text;
  }
  return kept;
}

// Rows after `row`, round the end, so that each row has other neighbours.
template <typename Accept>
std::vector<size_t> following(const std::vector<nlohmann::json>& rows, size_t row, size_t count, Accept accept) {
  std::vector<size_t> found;
  for (size_t step = 1; step < rows.size() && found.size() < count; ++step) {
    const size_t other = (row + step) % rows.size();
    if (accept(rows[other], found)) found.push_back(other);
  }
  return found;
}

std::vector<Passage> other_documents(const std::vector<nlohmann::json>& rows, size_t row) {
  const std::string subject = rows[row]["subject"], document_answer = rows[row]["document_answer"], memory_answer = rows[row]["memory_answer"];
  const auto accept = [&](const nlohmann::json& other, const std::vector<size_t>& found) {
    const std::string text = other["document"];
    for (const size_t earlier : found)
      if (rows[earlier]["subject"] == other["subject"]) return false;
    return !holds_words(text, subject) && !holds_words(text, document_answer) && !holds_words(text, memory_answer);
  };
  std::vector<Passage> passages;
  for (const size_t other : following(rows, row, 2, accept)) passages.push_back(whole_document(rows[other]["subject"], rows[other]["document"]));
  return passages;
}

std::string replacement_for(const std::vector<nlohmann::json>& rows, size_t row) {
  const std::string text = std::string(rows[row]["document"]) + " " + std::string(rows[row]["memory_answer"]);
  const auto accept = [&](const nlohmann::json& other, const std::vector<size_t>&) {
    return other["relation"] == rows[row]["relation"] && !holds_words(text, std::string(other["document_answer"]));
  };
  std::vector<size_t> found = following(rows, row, 1, accept);
  if (found.empty())
    found = following(rows, row, 1, [&](const nlohmann::json& other, const std::vector<size_t>&) { return !holds_words(text, std::string(other["document_answer"])); });
  return found.empty() ? std::string() : std::string(rows[found[0]]["document_answer"]);
}

}  // namespace

std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement) {
  for (Passage& passage : passages) passage = whole_document(passage.document_id, replace_words(passage.text, words, replacement));
  return passages;
}

std::optional<ConflictCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting) {
  const nlohmann::json& source = rows[row];
  ConflictCase made;
  made.subject = source["subject"];
  made.document_answer = source["document_answer"];
  made.memory_answer = source["memory_answer"];
  made.replacement = replacement_for(rows, row);
  made.question = setting == Setting::kBare ? source["cloze"] : source["question"];
  made.form = setting == Setting::kBare ? PromptForm::kBare : PromptForm::kChat;
  const std::string document = source["document"];
  switch (setting) {
    case Setting::kOwn:
    case Setting::kBare:
      made.passages = {whole_document(made.subject, document)};
      break;
    case Setting::kDecoy:  // the decoy stands in front of every second document
      made.passages = {whole_document(made.subject, document)};
      made.passages.insert(made.passages.begin() + static_cast<int64_t>(row % 2), whole_document("decoy", decoy_text(made.memory_answer)));
      break;
    case Setting::kSilent: {
      const std::string silent = without_sentences_holding(document, made.document_answer);
      if (silent.empty()) return std::nullopt;
      made.passages = {whole_document(made.subject, silent)};
      break;
    }
    case Setting::kOther:
      made.passages = other_documents(rows, row);
      if (made.passages.empty()) return std::nullopt;
      break;
    case Setting::kClosed: break;
  }
  for (const auto& span : source["spans"]) made.gold.push_back({span["byte_start"], span["byte_end"]});
  return made;
}

}  // namespace openbook::guard
