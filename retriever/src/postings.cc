#include "postings.h"

#include <map>

#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "record.h"

namespace openbook::retriever {
namespace {

constexpr char32_t kFirstWithoutBlanks = 0x2E80;  // CJK radicals; ideographs and kana follow

bool is_ideograph(std::string_view word) {
  const CodePoint point = code_point_at(word, 0);
  return point.length == word.size() && point.value >= kFirstWithoutBlanks;
}

}  // namespace

std::vector<std::string> index_terms(std::string_view valid_utf8) {
  std::vector<std::string> terms;
  std::string_view previous;  // the ideograph just before, if it was one
  for (const WordSpan& span : split_words(valid_utf8)) {
    const std::string_view word = slice(valid_utf8, span.bytes);
    if (span.punctuation) continue;
    const bool ideograph = is_ideograph(word);
    if (ideograph && !previous.empty() && previous.data() + previous.size() == word.data())
      terms.push_back(std::string(previous) + std::string(word));
    terms.push_back(fold_case(word));
    previous = ideograph ? word : std::string_view{};
  }
  return terms;
}

std::string encode_postings(const std::vector<std::vector<std::string>>& terms_of_chunks) {
  std::map<std::string_view, std::map<uint64_t, uint64_t>> counts;
  for (size_t chunk = 0; chunk < terms_of_chunks.size(); ++chunk)
    for (const std::string& term : terms_of_chunks[chunk]) ++counts[term][chunk];
  RecordWriter record;
  for (const auto& [term, count_of] : counts) {
    record.string(term).number(count_of.size());
    for (const auto& [chunk, count] : count_of) record.number(chunk).number(count);
  }
  return record.take();
}

void for_each_posting(std::string_view encoded, std::string_view what,
                      const std::function<void(std::string_view, uint64_t, uint64_t)>& visit) {
  for (RecordReader record(encoded, what); !record.at_end();) {
    const std::string_view term = record.string();
    for (uint64_t left = record.number(); left > 0; --left) {
      const uint64_t chunk = record.number();
      visit(term, chunk, record.number());
    }
  }
}

}  // namespace openbook::retriever
