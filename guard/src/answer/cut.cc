#include "answer/cut.h"

#include <algorithm>

namespace openbook::guard {

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
  const int32_t kept = judgement.words[word].first_token;
  spoken.tokens.resize(kept);
  spoken.token_bytes.resize(kept);
  spoken.text.resize(kept > 0 ? spoken.token_bytes.back().end : 0);
  spoken.last = true;
  judgement.words.resize(word);
  std::erase_if(judgement.claims, [&](const Claim& claim) { return claim.first_word >= static_cast<int32_t>(word); });
  judgement.citations.resize(judgement.claims.size());  // each of the kept claims is supported, so each has one, in order
}

}  // namespace openbook::guard
