#include "judge/topic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "openbook/base/language.h"
#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

constexpr double kRareShare = 0.8;       // a term is among the rarest when it is at least this rare beside the rarest
constexpr double kInSectionShare = 0.5;  // of `close`: enough in a section that speaks of the subject
constexpr double kAnswersAlone = 0.9;  // of `close`: the same where a question has no word but names, and closeness decides alone
constexpr double kAnswersShare = 1.3;  // of `close`: how well a sentence has to answer
constexpr double kBehindShare = 0.5;   // of `close`: a sentence this far behind the best one is not among those that answer
constexpr size_t kEmbeddedAtOnce = 32;  // sentences, so that a request can be stopped between them
constexpr size_t kLeastInitials = 3;    // a name of fewer words has initials that are too common

double surprisal(std::string_view word, const engine::Tokenizer& tokenizer) {
  double sum = 0;
  for (const engine::Token& token : tokenizer.encode(" " + std::string(word))) sum += std::log(1.0 + token.id);
  return sum;
}

// Equal, or the same word with another ending: a long common beginning. A number has no endings: 2024.7 is not 2024.5.
bool same_term(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (is_number(a) || is_number(b)) return false;
  const size_t shorter = std::min(a.size(), b.size());
  const size_t common = std::mismatch(a.begin(), a.begin() + shorter, b.begin()).first - a.begin();
  return common >= 5 && common + 3 >= std::max(a.size(), b.size());
}

bool holds(const std::vector<std::string>& words, const std::string& term) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return same_term(word, term); });
}

// "cdc" of "Centers for Disease Control".
bool holds_initials(const std::vector<std::string>& words, const std::vector<std::string>& name) {
  if (name.size() < kLeastInitials) return false;
  std::string initials;
  for (const std::string& word : name) initials += word.substr(0, code_point_at(word, 0).length);
  return std::find(words.begin(), words.end(), initials) != words.end();
}

// What stands between two words of one name.
bool joins_names(std::string_view word) {
  static constexpr std::array<std::string_view, 7> joining = {"of", "for", "the", "de", "&", "-", "."};
  return std::find(joining.begin(), joining.end(), word) != joining.end();
}

// Its words one after another from `word` on.
bool name_stands_at(const std::vector<std::string>& words, size_t word, const std::vector<std::string>& name) {
  size_t found = 0;
  for (; word < words.size() && found < name.size(); ++word) {
    if (same_term(words[word], name[found]))
      ++found;
    else if (found == 0 || !joins_names(words[word]))
      return false;
  }
  return found == name.size();
}

// A name is held whole, or by its initials: the University of Tern is not the University of Marlow.
bool holds_name(const std::vector<std::string>& words, const std::vector<std::string>& name) {
  for (size_t word = 0; word < words.size(); ++word)
    if (name_stands_at(words, word, name)) return true;
  return holds_initials(words, name);
}

struct Term {
  std::string word;  // folded
  double rarity;
  bool number;
  bool begins;  // a sentence, with a capital: it may be a name
  size_t name;  // index of the name that it belongs to
};

struct QuestionTerms {
  std::vector<Term> of_names, others;
  std::vector<std::vector<std::string>> names;
};

QuestionTerms read_terms(const Question& question, const engine::Tokenizer& tokenizer) {
  const Language language = question.language();
  QuestionTerms terms;
  bool in_name = false;
  for (const TextWord& each : with_values(question.words())) {
    const std::string& word = each.folded;
    if (each.punctuation || is_function_word(word, language) || is_question_word(word, language)) {
      in_name = in_name && joins_names(word);
      continue;
    }
    const bool number = is_number(word);
    // Every sentence begins with a capital: its first word is a name only where others say so.
    const bool name = number || (has_capital(each.written) && !each.begins_sentence);
    const bool alone = each.value_words > 1;  // a day is no part of the name beside it
    if (name && (!in_name || alone)) terms.names.emplace_back();
    if (name) terms.names.back().push_back(word);
    in_name = name && !alone;
    (name ? terms.of_names : terms.others)
        .push_back(
            {word, surprisal(each.written, tokenizer), number, !name && has_capital(each.written), terms.names.size() - 1});
  }
  return terms;
}

// Names and numbers say what a question is about; its other words are used where it has none. Among names the rarest count, every
// number does.
Topic::Subject subject_of(const QuestionTerms& all) {
  Topic::Subject subject;
  subject.named = !all.of_names.empty();
  const std::vector<Term>& terms = subject.named ? all.of_names : all.others;
  double most = 0;
  for (const Term& term : terms) most = std::max(most, term.rarity);
  std::set<size_t> names;
  for (const Term& term : terms) {
    if (!term.number && term.rarity < kRareShare * most) continue;
    subject.rarest.push_back(term.word);
    if (!subject.named) subject.names.push_back({term.word});
    if (subject.named && names.insert(term.name).second) subject.names.push_back(all.names[term.name]);
  }
  return subject;
}

bool holds_subject(const std::vector<std::string>& words, const Topic::Subject& subject) {
  return !subject.names.empty() &&
         std::all_of(subject.names.begin(), subject.names.end(), [&](const auto& name) { return holds_name(words, name); });
}

struct OpenHeading {
  int64_t level;
  std::string text;  // without its marks
};

// The words of the headings, without their marks, in bytes of `text`.
std::vector<ByteSpan> headings_of(std::string_view text) {
  std::vector<ByteSpan> headings;
  for (const Line& line : split_lines(text))
    if (line.kind == LineKind::kHeading) headings.push_back(trim(text, {heading_mark(text, line).end, line.range.end}));
  return headings;
}

// "support procedures" of "docs/support-procedures.txt".
std::string spoken_name(const std::string& document_id) {
  std::string name;
  for (const std::string& word : folded_words(std::filesystem::path(document_id).stem().string()))
    name += (name.empty() ? "" : " ") + word;
  return name;
}

// What stands above a section: "Support procedures. Calling others. "
std::string said_above(const Passage& passage, const std::vector<OpenHeading>& open) {
  std::vector<std::string> parts;
  for (const Line& line : split_lines(passage.context)) parts.emplace_back(slice(passage.context, line.range));
  for (const OpenHeading& heading : open)
    if (std::find(parts.begin(), parts.end(), heading.text) == parts.end()) parts.push_back(heading.text);
  if (parts.empty()) parts.push_back(spoken_name(passage.document_id));
  std::string above;
  for (const std::string& part : parts) above += part + ". ";
  return above;
}

// Sections, each with what stands above it: a sentence that says "it" speaks of what its heading names.
std::vector<Topic::Section> sections_of(const Passage& passage, const Topic::Subject& subject) {
  const std::vector<std::string> file_name = folded_words(std::filesystem::path(passage.document_id).filename().string());
  std::vector<OpenHeading> open;
  std::vector<Topic::Section> sections;
  const auto close = [&](int64_t begin, int64_t end) {
    if (begin == end) return;
    std::string above = said_above(passage, open);
    std::vector<std::string> words = file_name;
    for (std::string& word : comparable_words(above)) words.push_back(std::move(word));
    for (std::string& word : comparable_words(slice(passage.text, {begin, end}))) words.push_back(std::move(word));
    sections.push_back({{begin, end}, std::move(above), holds_subject(words, subject)});
  };
  int64_t begin = 0;
  for (const Line& line : split_lines(passage.text)) {
    if (line.kind != LineKind::kHeading) continue;
    close(begin, line.range.begin);
    begin = line.range.begin;
    const ByteSpan mark = heading_mark(passage.text, line);
    while (!open.empty() && open.back().level >= line.level) open.pop_back();
    open.push_back({line.level, std::string(slice(passage.text, trim(passage.text, {mark.end, line.range.end})))});
  }
  close(begin, static_cast<int64_t>(passage.text.size()));
  return sections;
}

}  // namespace

Topic::Topic(const Question& question, const std::vector<ReadPassage>& passages, const engine::Tokenizer& tokenizer,
             const Embedder& embedder, double close, const Cancellation* cancellation)
    : question_(&question), passages_(&passages), embedder_(&embedder), close_(close), cancellation_(cancellation) {
  const QuestionTerms terms = read_terms(question, tokenizer);
  subject_ = subject_of(terms);
  double rarity = 0;
  for (const Term& term : terms.others) rarity += term.begins ? 0 : term.rarity;
  for (const Term& term : terms.others)
    if (!term.begins) asked_.push_back({term.word, term.rarity / rarity});
  for (const ReadPassage& passage : passages) sections_.push_back(sections_of(passage.passage(), subject_));
}

std::vector<double> Topic::similarities(const std::vector<std::string>& sentences) const {
  std::vector<std::string> unknown;
  for (const std::string& sentence : sentences)
    if (!similarities_.contains(sentence)) unknown.push_back(sentence);
  if (!unknown.empty() && question_vector_.empty()) question_vector_ = embedder_->embed({question_->text()});
  const size_t dimension = question_vector_.size();
  for (size_t first = 0; first < unknown.size(); first += kEmbeddedAtOnce) {
    if (cancellation_) cancellation_->check();
    const auto begin = unknown.begin() + static_cast<int64_t>(first);
    const std::vector<std::string> some(begin, begin + static_cast<int64_t>(std::min(kEmbeddedAtOnce, unknown.size() - first)));
    const std::vector<float> vectors = embedder_->embed(some);
    for (size_t i = 0; i < some.size(); ++i)
      similarities_[some[i]] =
          std::inner_product(question_vector_.begin(), question_vector_.end(), vectors.begin() + i * dimension, 0.0);
  }
  std::vector<double> known;
  for (const std::string& sentence : sentences) known.push_back(similarities_.at(sentence));
  return known;
}

// The section of `passage` that holds a byte of its text; its last one holds what follows it.
const Topic::Section& Topic::section_of(int32_t passage, int64_t byte) const {
  const std::vector<Section>& sections = sections_[passage];
  const auto holder =
      std::find_if(sections.begin(), sections.end(), [&](const Section& each) { return each.bytes.contains(byte); });
  return holder == sections.end() ? sections.back() : *holder;
}

bool Topic::in_one_section(const Source& a, const Source& b) const {
  const Passage &of_a = passage_at(a.passage), &of_b = passage_at(b.passage);
  return of_a.document_id == of_b.document_id && section_of(a.passage, a.range.begin - of_a.range.begin).above ==
                                                     section_of(b.passage, b.range.begin - of_b.range.begin).above;
}

bool Topic::sentence_on_topic(int32_t passage, ByteSpan sentence_in_document) const {
  const Passage& whole = passage_at(passage);
  const std::string sentence(text_at(whole, sentence_in_document));
  const Section& section = section_of(passage, sentence_in_document.begin - whole.range.begin);
  if (!section.holds_subject) {
    if (subject_.named) return false;
    const std::vector<double> alone_and_under_headings = similarities({sentence, section.above + sentence});
    return *std::max_element(alone_and_under_headings.begin(), alone_and_under_headings.end()) >= close_;
  }
  const std::vector<std::string> words = comparable_words(sentence);
  if (std::any_of(subject_.rarest.begin(), subject_.rarest.end(), [&](const std::string& term) { return holds(words, term); }))
    return true;
  return similarities({sentence}).front() >= kInSectionShare * close_;
}

std::vector<SentencePlace> Topic::sentences_on_topic() const {
  std::vector<SentencePlace> sentences, headings;
  for (int32_t i = 0; i < static_cast<int32_t>(passages_->size()); ++i) {
    const int64_t base = passage_at(i).range.begin;
    const std::vector<ByteSpan> titles = headings_of(passage_at(i).text);
    for (const ReadSentence& sentence : passages_->at(i).sentences()) {
      if (!sentence_on_topic(i, sentence.range)) continue;
      const auto title = std::find_if(titles.begin(), titles.end(), [&](ByteSpan each) {
        return ByteSpan{each.begin + base, each.end + base}.overlaps(sentence.range);
      });
      if (title == titles.end())
        sentences.push_back({i, sentence.range});
      else
        headings.push_back({i, {base + title->begin, base + title->end}});
    }
  }
  return sentences.empty() ? headings : sentences;
}

double Topic::how_well_answers(std::string_view sentence) const {
  const std::vector<std::string> words = comparable_words(sentence);
  double held = 0;
  for (const AskedWord& asked : asked_)
    if (holds(words, asked.word)) held += asked.share;
  return similarities({std::string(sentence)}).front() + close_ * held;
}

bool Topic::answers(std::string_view sentence) const {
  return how_well_answers(sentence) >= (asked_.empty() ? kAnswersAlone : kAnswersShare) * close_;
}

bool Topic::answer_holds(std::span<const TextWord> words) const {
  for (int32_t i = 0; i < static_cast<int32_t>(passages_->size()); ++i) {
    const ReadPassage& passage = passages_->at(i);
    for (const ByteSpan& place : passage.find(words)) {
      const ByteSpan sentence = passage.sentence_around(place);
      if (sentence_on_topic(i, sentence) && answers(text_at(passage.passage(), sentence))) return true;
    }
  }
  return false;
}

bool Topic::stands_above(int32_t passage, ByteSpan sentence_in_document, const TextWord& word) const {
  const int64_t base = passage_at(passage).range.begin;
  const Section& section = section_of(passage, sentence_in_document.begin - base);
  for (const std::string& above : folded_words(section.above))
    if (above == word.folded) return true;
  const std::vector<TextWord>& words = passages_->at(passage).words();
  return std::any_of(words.begin(), words.end(), [&](const TextWord& each) {
    return each.bytes.begin >= base + section.bytes.begin && each.bytes.end <= sentence_in_document.begin &&
           same_word(each, word);
  });
}

std::vector<SentencePlace> Topic::closest_of(const std::vector<SentencePlace>& sentences) const {
  std::vector<double> scores;
  for (const SentencePlace& place : sentences)
    scores.push_back(how_well_answers(text_at(passage_at(place.passage), place.range)));
  const double best = scores.empty() ? 0 : *std::max_element(scores.begin(), scores.end());
  std::vector<SentencePlace> closest;
  for (size_t i = 0; i < sentences.size(); ++i)
    if (scores[i] >= best - kBehindShare * std::abs(close_)) closest.push_back(sentences[i]);
  return closest;
}

}  // namespace openbook::guard
