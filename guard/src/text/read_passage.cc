#include "text/read_passage.h"

#include <algorithm>

#include "openbook/base/lines.h"
#include "openbook/base/sentences.h"

namespace openbook::guard {
namespace {

ByteSpan shifted(ByteSpan span, int64_t by) { return {span.begin + by, span.end + by}; }

bool is_heading(std::string_view sentence) {
  const std::vector<Line> lines = split_lines(sentence);
  return !lines.empty() && lines.front().kind == LineKind::kHeading;
}

void find_run(std::span<const TextWord> words, std::span<const TextWord> wanted, std::vector<ByteSpan>& found) {
  std::vector<const TextWord*> sought;
  for (const TextWord& word : wanted)
    if (!word.punctuation) sought.push_back(&word);
  if (sought.empty()) return;
  for (size_t first = 0; first < words.size(); ++first) {
    size_t matched = 0, last = first;
    for (size_t at = first; at < words.size() && matched < sought.size(); ++at) {
      if (matched > 0 && words[at].punctuation) continue;
      if (!same_word(words[at], *sought[matched])) break;
      last = at;
      ++matched;
    }
    if (matched == sought.size()) found.push_back({words[first].bytes.begin, words[last].bytes.end});
  }
}

}  // namespace

ReadPassage::ReadPassage(const Passage& passage)
    : passage_(&passage), language_(language_of(passage.text)), words_(read_words(passage.text, language_)) {
  const int64_t base = passage.range.begin;
  for (TextWord& word : words_) word.bytes = shifted(word.bytes, base);
  valued_ = with_values(words_);
  size_t word = 0;
  for (const ByteSpan& bytes : split_sentences(passage.text)) {
    ReadSentence sentence{.range = shifted(bytes, base), .heading = is_heading(slice(passage.text, bytes))};
    while (word < words_.size() && words_[word].bytes.begin < sentence.range.begin) ++word;
    sentence.first_word = word;
    while (word < words_.size() && words_[word].bytes.begin < sentence.range.end) ++word;
    sentence.words = word - sentence.first_word;
    sentences_.push_back(sentence);
  }
}

std::vector<ByteSpan> ReadPassage::find(std::span<const TextWord> wanted) const {
  std::vector<ByteSpan> found;
  find_run(words_, wanted, found);
  if (std::any_of(wanted.begin(), wanted.end(), [](const TextWord& word) { return word.value_words > 0; })) {
    find_run(valued_, with_values(wanted), found);
    const auto in_order = [](ByteSpan a, ByteSpan b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; };
    std::sort(found.begin(), found.end(), in_order);
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
  return found;
}

const ReadSentence* ReadPassage::sentence_at(int64_t byte) const {
  const auto after = std::upper_bound(sentences_.begin(), sentences_.end(), byte,
                                      [](int64_t at, const ReadSentence& each) { return at < each.range.begin; });
  return after == sentences_.begin() || !std::prev(after)->range.contains(byte) ? nullptr : &*std::prev(after);
}

ByteSpan ReadPassage::sentence_around(ByteSpan source) const {
  const ReadSentence* const sentence = sentence_at(source.begin);
  return sentence ? ByteSpan{sentence->range.begin, std::max(sentence->range.end, source.end)} : source;
}

std::vector<ReadPassage> read_passages(const std::vector<Passage>& passages) {
  std::vector<ReadPassage> read;
  read.reserve(passages.size());
  for (const Passage& passage : passages) read.emplace_back(passage);
  return read;
}

}  // namespace openbook::guard
