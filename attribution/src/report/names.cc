#include "report/names.h"

#include <algorithm>
#include <map>

namespace openbook::attribution {

std::string readable(const std::string& name) {
  static const std::map<std::string, std::string> kNames = {{"in_context", "in-context heads"},
                                                            {"in-context", "in-context heads"},
                                                            {"parametric", "parametric heads"},
                                                            {"task", "task heads"},
                                                            {"retrieval", "retrieval heads"},
                                                            {"random", "random heads"},
                                                            {"least", "least relevant heads"},
                                                            {"own_test", "own test relations"},
                                                            {"attnlrp", "AttnLRP"}};
  if (const auto found = kNames.find(name); found != kNames.end()) return found->second;
  const bool raw = std::all_of(name.begin(), name.end(),
                               [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  std::string words = name;
  if (raw) std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace openbook::attribution
