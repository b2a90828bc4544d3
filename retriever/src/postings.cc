#include "postings.h"

#include <map>

#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/values.h"
#include "openbook/base/words.h"
#include "record.h"

namespace openbook::retriever {
namespace {

// The first entry: a term that no text has, in no chunk, so that a program that doesn't know it finds nothing by it. Raise the
// number with every change of index_terms, fold_case, split_words or find_values; without the entry terms are those of version
// 0.1.0.
constexpr std::string_view kRules = "\x01terms 2";

constexpr char32_t kFirstIdeograph = 0x2E80;  // CJK radicals; ideographs and kana follow
constexpr char32_t kFirstHangul = 0xAC00, kLastHangul = 0xD7FF;

bool is_ideograph(std::string_view folded) {
  const CodePoint point = code_point_at(folded, 0);
  return point.length == folded.size() && point.value >= kFirstIdeograph &&
         !(point.value >= kFirstHangul && point.value <= kLastHangul);
}

// A question may name less of a day than the document, or more.
std::vector<std::string> terms_of(const Value& value) {
  if (value.kind != Value::Kind::kDay || value.normal.starts_with("--")) return {value.normal};
  return {value.normal, value.normal.substr(0, 7), "--" + value.normal.substr(5)};
}

}  // namespace

std::vector<std::string> index_terms(std::string_view valid_utf8) {
  std::vector<std::string> terms;
  std::string previous;  // the ideograph just before, if it was one
  int64_t previous_end = 0;
  bool digits = false;
  for (const WordSpan& span : split_words(valid_utf8)) {
    if (span.punctuation) continue;
    std::string word = fold_case(slice(valid_utf8, span.bytes));
    const bool ideograph = is_ideograph(word);
    if (ideograph && !previous.empty() && previous_end == span.bytes.begin) terms.push_back(previous + word);
    digits |= word.find_first_of("0123456789") != std::string::npos;
    previous = ideograph ? word : "";
    previous_end = span.bytes.end;
    terms.push_back(std::move(word));
  }
  if (!digits) return terms;
  for (const Value& value : find_values(valid_utf8, language_of(valid_utf8)))
    if (value.normal != fold_case(slice(valid_utf8, value.bytes)) || value.kind == Value::Kind::kDay)
      for (std::string& term : terms_of(value)) terms.push_back(std::move(term));
  return terms;
}

std::string encode_postings(const std::vector<std::vector<std::string>>& terms_of_chunks) {
  std::map<std::string_view, std::map<uint64_t, uint64_t>> counts;
  for (size_t chunk = 0; chunk < terms_of_chunks.size(); ++chunk)
    for (const std::string& term : terms_of_chunks[chunk]) ++counts[term][chunk];
  RecordWriter record;
  record.string(kRules).number(0);
  for (const auto& [term, count_of] : counts) {
    record.string(term).number(count_of.size());
    for (const auto& [chunk, count] : count_of) record.number(chunk).number(count);
  }
  return record.take();
}

bool has_current_terms(std::string_view encoded) { return encoded.starts_with(RecordWriter().string(kRules).number(0).take()); }

void for_each_posting(std::string_view encoded, std::string_view what,
                      const std::function<void(std::string_view, uint64_t, uint64_t)>& visit) {
  for (RecordReader record(encoded, std::string(what)); !record.at_end();) {
    const std::string_view term = record.string();
    for (uint64_t left = record.number(); left > 0; --left) {
      const uint64_t chunk = record.number();
      visit(term, chunk, record.number());
    }
  }
}

}  // namespace openbook::retriever
