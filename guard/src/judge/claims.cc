#include "judge/claims.h"

#include <algorithm>

#include "judge/binding.h"
#include "judge/lead_in.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

Verdict worse(Verdict a, Verdict b) {
  if (a == Verdict::kRecited || b == Verdict::kRecited) return Verdict::kRecited;
  if (a == Verdict::kUnchecked || b == Verdict::kUnchecked) return Verdict::kUnchecked;
  return Verdict::kCopied;
}

// Tokens of a word: from the one that holds its first byte to the one that holds its last.
void set_tokens(Word& word, const std::vector<ByteSpan>& token_bytes) {
  const auto holder = [&](int64_t byte) {
    return std::find_if(token_bytes.begin(), token_bytes.end(), [&](ByteSpan span) { return span.contains(byte); }) -
           token_bytes.begin();
  };
  word.first_token = static_cast<int32_t>(holder(word.answer.begin));
  word.tokens = static_cast<int32_t>(holder(word.answer.end - 1)) - word.first_token + 1;
}

// A number's digits are chosen one by one, each as free as a first token: the least sure one counts.
double probability_of(const Word& word, const TextWord& said, const Spoken& spoken) {
  double probability = spoken.tokens[word.first_token].probability_first;
  if (is_number(said.written))
    for (int32_t i = 1; i < word.tokens; ++i)
      probability = std::min(probability, spoken.tokens[word.first_token + i].probability_first);
  return probability;
}

}  // namespace

bool is_binding(const TextWord& word, Language language) {
  return !word.punctuation && !word.spelt_as_name && binding_of(word.folded, language) != Binding::kNone;
}

std::vector<Word> words_of(const Spoken& spoken, std::span<const TextWord> said, Language language) {
  std::vector<Word> words;
  const size_t announced = lead_in(said, language);
  for (const TextWord& each : said) {
    Word word;
    word.answer = each.bytes;
    set_tokens(word, spoken.token_bytes);
    word.probability_copied = probability_of(word, each, spoken);
    const bool neutral =
        words.size() < announced || each.punctuation || is_neutral_word(each.written, each.begins_sentence, language);
    if (neutral) word.verdict = Verdict::kNeutral;
    words.push_back(word);
  }
  return words;
}

void neutralise_asked_words(std::vector<Word>& words, std::span<const TextWord> said, const Question& question,
                            Language language) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (question.holds(said[i].folded) && !is_binding(said[i], language) && !said[i].spelt_as_name)
      words[i].verdict = Verdict::kNeutral;
    if (said[i].value_words > 0 && question.holds_value(said[i].value))
      for (size_t within = 0; within < said[i].value_words; ++within) words[i + within].verdict = Verdict::kNeutral;
  }
}

std::vector<Claim> claims_of(const std::vector<Word>& words, std::span<const TextWord> said, Language language) {
  std::vector<Claim> claims;
  bool open = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool joins = open && said[i].within_value && said[i].punctuation;  // "2001-05-09" is one claim
    if (!joins && (words[i].verdict == Verdict::kNeutral || is_binding(said[i], language))) {
      open = false;
      continue;
    }
    if (!open) {
      claims.push_back({.answer = words[i].answer,
                        .first_word = static_cast<int32_t>(i),
                        .verdict = words[i].verdict,
                        .score = words[i].probability_copied});
      open = true;
    }
    Claim& claim = claims.back();
    ++claim.words;
    claim.answer.end = words[i].answer.end;
    if (joins) continue;
    claim.verdict = worse(claim.verdict, words[i].verdict);
    claim.score = std::min(claim.score, words[i].probability_copied);
  }
  return claims;
}

}  // namespace openbook::guard
