#include "report/data_cases.h"

#include <algorithm>
#include <set>

#include "openbook/base/sentences.h"
#include "openbook/base/words.h"
#include "report/biography_file.h"
#include "report/rows.h"

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

constexpr int kLongestAnswer = 8;  // words; what runs on without a word of the question's language is talk about the documents

// What a model says instead of an answer holds one of these, folded; a Chinese question may be turned down in English.
const std::set<std::string> kDenials = {"not",    "no",         "don't",       "doesn't",     "didn't",  "can't",  "couldn't",
                                        "cannot", "isn't",      "wasn't",      "unknown",     "unable",  "sorry",  "ni",
                                        "sin",    "desconozco", "desconocido", "desconocida", "lamento", "siento", "不",
                                        "没",     "無",         "无",          "未",          "抱"};

// The folded words of a language's questions and sentences about facts, but for names and values.
std::set<std::string> told_words(const BiographyLanguage& language) {
  std::set<std::string> told;
  const auto add = [&](const std::string& form) {
    for (const FormPiece& piece : pieces_of(form))
      if (!piece.symbol)
        for (std::string& word : folded_words(piece.text)) told.insert(std::move(word));
  };
  for (const BiographyLanguage::Fact& fact : language.facts) {
    for (const std::string& question : fact.questions) add(question);
    for (const std::string& sentence : fact.sentences) add(sentence);
  }
  for (const auto& [symbol, forms] : language.grammar)
    if (symbol.find('.') != std::string::npos)  // he, she, a, an: what a form says of the person's gender or the value's sound
      for (const std::string& form : forms) add(form);
  return told;
}

}  // namespace

std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement) {
  for (Passage& passage : passages)
    passage = whole_document(passage.document_id, replace_words(passage.text, words, replacement));
  return passages;
}

ConflictRows conflict_rows(const std::filesystem::path& file) {
  ConflictRows rows{.strict = read_rows(file, {{"subject"},
                                               {"relation"},
                                               {"question"},
                                               {"cloze"},
                                               {"document"},
                                               {"document_answer"},
                                               {"memory_answer"},
                                               {"spans", FieldKind::kSpans},
                                               {"memory_spans", FieldKind::kSpans},
                                               {"memory_in_subject", FieldKind::kFlag}})};
  rows.left_out = static_cast<int64_t>(std::erase_if(rows.strict, [](const nlohmann::json& row) {
    return !row["memory_spans"].empty() || row["memory_in_subject"].get<bool>();
  }));
  return rows;
}

std::vector<nlohmann::json> swap_rows(const std::filesystem::path& file) {
  return read_rows(file, {{"title"},
                          {"type"},
                          {"question"},
                          {"document"},
                          {"document_answer"},
                          {"memory_answer", FieldKind::kTexts},
                          {"original_answer"},
                          {"spans", FieldKind::kSpans}});
}

std::vector<nlohmann::json> reading_rows(const std::filesystem::path& file) {
  return read_rows(file, {{"title"},
                          {"language"},
                          {"question"},
                          {"document"},
                          {"answer"},
                          {"spans", FieldKind::kSpans},
                          {"other_spans", FieldKind::kSpans}});
}

std::optional<DataCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting) {
  const nlohmann::json& source = rows[row];
  const std::string document = source["document"];
  DataCase made;
  made.fact = static_cast<int32_t>(row);
  made.setting = setting;
  made.subject = source["subject"];
  made.kind = source["relation"];
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
  made.kind = source["type"];
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

std::optional<DataCase> make_biography_case(const std::vector<Biography>& lives, size_t life, Setting setting) {
  const Biography& source = lives[life];
  const size_t facts = source.facts.size();
  const BiographyFact& fact = source.facts[life % facts];
  std::vector<std::string> questions = fact.questions;  // without a document only the name says who is meant
  std::erase_if(questions, [&](const std::string& question) { return question.find(source.person) == std::string::npos; });
  if (questions.empty()) return std::nullopt;
  DataCase made;
  made.fact = static_cast<int32_t>(life);
  made.setting = setting;
  made.subject = source.person;
  made.kind = fact.name;
  made.document_answer = fact.value;
  for (size_t step = 1; step < lives.size() && made.replacement.empty(); ++step) {
    const std::string& other = lives[(life + step) % lives.size()].fact(fact.name).value;
    if (!holds_words(source.text, other)) made.replacement = other;
  }
  made.question = questions[life / facts % questions.size()];
  made.gold = {fact.place};
  if (!put_document(made, source.text)) return std::nullopt;
  return made;
}

std::string made_up_answer(const std::string& said, const std::string& question, const BiographyLanguage& language) {
  const std::vector<ByteSpan> sentences = split_sentences(said);
  if (sentences.empty()) return "";
  const std::string_view sentence = slice(said, sentences.front());
  const std::vector<std::string> words = folded_words(sentence);
  if (std::any_of(words.begin(), words.end(), [&](const std::string& word) { return kDenials.contains(word); })) return "";
  std::set<std::string> told = told_words(language);
  for (std::string& word : folded_words(question)) told.insert(std::move(word));
  std::optional<ByteSpan> run;
  size_t index = 0;
  int length = 0;
  for (const WordSpan& word : split_words(sentence)) {
    const bool new_word = !word.punctuation && !told.contains(words[index++]);
    if (!new_word && run) break;
    if (!new_word) continue;
    run = {run ? run->begin : word.bytes.begin, word.bytes.end};
    ++length;
  }
  return run && length <= kLongestAnswer ? std::string(slice(sentence, *run)) : "";
}

}  // namespace openbook::attribution
