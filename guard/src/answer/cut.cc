#include "answer/cut.h"

#include <algorithm>
#include <string>
#include <vector>

#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

constexpr size_t kLeastRepeated = 2;  // words; "very very" is no loop

// Keeps the tokens in front of `token`, and the text that they are.
void keep_tokens(size_t token, Spoken& spoken) {
  spoken.tokens.resize(token);
  spoken.token_bytes.resize(token);
  spoken.text.resize(token > 0 ? spoken.token_bytes.back().end : 0);
  spoken.last = true;
}

// Whether the words in front of `word` stand there again from it on, any number of them that holds enough words.
bool repeats_itself_at(size_t word, const std::vector<std::string>& folded, const std::vector<WordSpan>& words) {
  size_t said = 0;
  for (size_t count = 1; count <= word && word + count <= words.size(); ++count) {
    said += !words[word - count].punctuation;
    const auto at = folded.begin() + static_cast<int64_t>(word);
    if (said >= kLeastRepeated && std::equal(at - static_cast<int64_t>(count), at, at)) return true;
  }
  return false;
}

}  // namespace

int32_t standing_claims(const Judgement& judgement) {
  const auto fallen = std::find_if(judgement.claims.begin(), judgement.claims.end(), [](const Claim& claim) {
    return claim.support != Support::kSupported || claim.verdict != Verdict::kCopied;
  });
  return static_cast<int32_t>(fallen - judgement.claims.begin());
}

std::string_view text_before(size_t word, const Spoken& spoken, const Judgement& judgement) {
  if (word == judgement.words.size()) return spoken.text;
  return slice(spoken.text, {0, judgement.words[word].answer.begin});
}

void cut_before(size_t word, Spoken& spoken, Judgement& judgement) {
  keep_tokens(static_cast<size_t>(judgement.words[word].first_token), spoken);
  judgement.words.resize(word);
  judgement.said.resize(word);
  judgement.quoted = false;
  std::erase_if(judgement.claims, [&](const Claim& claim) { return claim.first_word >= static_cast<int32_t>(word); });
  judgement.citations.resize(judgement.claims.size());  // each of the kept claims is supported, so each has one, in order
}

void end_before_repetition(Spoken& spoken) {
  const std::vector<WordSpan> words = split_words(spoken.text);
  std::vector<std::string> folded;
  for (const WordSpan& word : words) folded.push_back(fold_case(slice(spoken.text, word.bytes)));
  for (size_t word = 1; word < words.size(); ++word) {
    if (!repeats_itself_at(word, folded, words)) continue;
    const auto holder = std::find_if(spoken.token_bytes.begin(), spoken.token_bytes.end(),
                                     [&](ByteSpan token) { return token.contains(words[word].bytes.begin); });
    keep_tokens(static_cast<size_t>(holder - spoken.token_bytes.begin()), spoken);
    return;
  }
}

}  // namespace openbook::guard
