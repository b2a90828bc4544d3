#include "answer/abstention.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "openbook/base/words.h"

namespace openbook::guard {

bool is_abstention(std::string_view sentence) {
  std::string plain = with_valid_utf8(std::string(sentence));
  for (size_t at; (at = plain.find("\u2019")) != std::string::npos;) plain.replace(at, 3, 1, '\'');
  const std::vector<std::string> words = folded_words(plain);
  const auto holds = [&](std::initializer_list<std::string_view> any) {
    return std::any_of(any.begin(), any.end(),
                       [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); });
  };
  const bool about_sources =
      holds({"document", "documents", "passage", "passages", "text", "information", "context", "documentos", "texto"});
  const bool denies = holds({"not", "don't", "doesn't", "no", "cannot", "can't", "unable", "isn't", "aren't"});
  const bool answering = holds({"answer", "mention", "mentioned", "provide", "provided", "state", "stated", "specify",
                                "specified", "contain", "contains", "say", "information", "responden", "responde"});
  return about_sources && denies && answering;
}

}  // namespace openbook::guard
