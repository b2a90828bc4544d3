#include "report/data_cases.h"

#include "openbook/base/sentences.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

// Names the memory answer where it has nothing to do with the question.
std::string decoy_text(const std::string& memory_answer) {
  return "A short article about " + memory_answer +
         " appeared in a weekly magazine last spring. Readers wrote many letters about it, and " + memory_answer +
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
  const std::string subject = rows[row]["subject"], document_answer = rows[row]["document_answer"],
                    memory_answer = rows[row]["memory_answer"];
  const auto accept = [&](const nlohmann::json& other, const std::vector<size_t>& found) {
    const std::string text = other["document"];
    for (const size_t earlier : found)
      if (rows[earlier]["subject"] == other["subject"]) return false;
    return !holds_words(text, subject) && !holds_words(text, document_answer) && !holds_words(text, memory_answer);
  };
  std::vector<Passage> passages;
  for (const size_t other : following(rows, row, 2, accept))
    passages.push_back(whole_document(rows[other]["subject"], rows[other]["document"]));
  return passages;
}

// Another row's answer, of the same kind where there is one, that `own_text` does not hold.
std::string replacement_for(const std::vector<nlohmann::json>& rows, size_t row, const std::string& own_text,
                            const char* answer_field, const char* kind_field) {
  const auto fits = [&](const nlohmann::json& other) { return !holds_words(own_text, std::string(other[answer_field])); };
  std::vector<size_t> found = following(rows, row, 1, [&](const nlohmann::json& other, const std::vector<size_t>&) {
    return other[kind_field] == rows[row][kind_field] && fits(other);
  });
  if (found.empty())
    found = following(rows, row, 1, [&](const nlohmann::json& other, const std::vector<size_t>&) { return fits(other); });
  return found.empty() ? std::string() : std::string(rows[found[0]][answer_field]);
}

std::vector<ByteSpan> spans_of(const nlohmann::json& spans) {
  std::vector<ByteSpan> bytes;
  for (const auto& span : spans) bytes.push_back({span["byte_start"], span["byte_end"]});
  return bytes;
}

// The one document in `own`, without the answer's sentences in `silent`, none in `closed`; false when nothing is left of it.
bool put_document(DataCase& made, const std::string& document) {
  const std::string text =
      made.setting == Setting::kSilent ? without_sentences_holding(document, made.document_answer) : document;
  if (made.setting == Setting::kClosed) return true;
  made.passages = {whole_document(made.subject, text)};
  return !text.empty();
}

}  // namespace

std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement) {
  for (Passage& passage : passages)
    passage = whole_document(passage.document_id, replace_words(passage.text, words, replacement));
  return passages;
}

std::optional<DataCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting) {
  const nlohmann::json& source = rows[row];
  const std::string document = source["document"];
  DataCase made;
  made.fact = static_cast<int32_t>(row);
  made.setting = setting;
  made.subject = source["subject"];
  made.document_answer = source["document_answer"];
  made.memory_answer = source["memory_answer"];
  made.replacement = replacement_for(rows, row, document + " " + made.memory_answer, "document_answer", "relation");
  made.question = setting == Setting::kBare ? source["cloze"] : source["question"];
  made.gold = spans_of(source["spans"]);
  if (setting == Setting::kOther) {
    made.passages = other_documents(rows, row);
    if (made.passages.empty()) return std::nullopt;
  } else if (!put_document(made, document)) {
    return std::nullopt;
  }
  if (setting == Setting::kDecoy)  // the decoy stands in front of every second document
    made.passages.insert(made.passages.begin() + static_cast<int64_t>(row % 2),
                         whole_document("decoy", decoy_text(made.memory_answer)));
  return made;
}

std::optional<DataCase> make_swap_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting) {
  const nlohmann::json& source = rows[row];
  const std::string document = source["document"];
  DataCase made;
  made.fact = static_cast<int32_t>(row);
  made.setting = setting;
  made.subject = source["title"];
  made.document_answer = source["document_answer"];
  std::vector<std::string> memory = source["memory_answer"];
  memory.push_back(source["original_answer"]);
  made.memory_answer = memory.front();
  made.memory_aliases.assign(memory.begin() + 1, memory.end());
  std::string own_text = document;
  for (const std::string& answer : memory) own_text += " " + answer;
  made.replacement = replacement_for(rows, row, own_text, "document_answer", "type");
  made.question = source["question"];
  made.gold = spans_of(source["spans"]);
  if (!put_document(made, document)) return std::nullopt;
  return made;
}

std::optional<DataCase> make_read_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting) {
  const nlohmann::json& source = rows[row];
  const std::string document = source["document"];
  DataCase made;
  made.fact = static_cast<int32_t>(row);
  made.setting = setting;
  made.subject = source["title"];
  made.document_answer = source["answer"];
  made.replacement = replacement_for(rows, row, document, "answer", "language");
  made.question = source["question"];
  made.gold = spans_of(source["spans"]);
  for (const ByteSpan& other : spans_of(source["other_spans"])) made.gold.push_back(other);
  if (!put_document(made, document)) return std::nullopt;
  return made;
}

}  // namespace openbook::attribution
