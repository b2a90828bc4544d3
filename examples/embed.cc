// Embeds openbook in a program: answers a question from files, and says what became of it.
//
//   embed build/models/smollm2-135m-instruct build/models/all-minilm-l6-v2 examples/smollm2.atlas.json \
//         "Where is the capital of France?" examples/documents/news-ferry-mail.md
//
// Exit status: 0 answered, 4 refused or abstained, 1 failed, 2 wrong usage.
#include <fstream>
#include <iostream>
#include <iterator>

#include "openbook/base/error.h"
#include "openbook/guard/guard.h"

namespace {

openbook::Passage read_passage(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw openbook::Error(openbook::Code::kNotFound, path + ": can't be read");
  return openbook::whole_document(path, std::string(std::istreambuf_iterator<char>(file), {}));
}

void show(const openbook::Answer& answer) {
  std::cout << answer.text << "\n";
  for (const openbook::Citation& citation : answer.citations)
    std::cout << "\"" << citation.quote << "\" stands in " << citation.document_id << ":" << citation.line << "\n";
  std::cout << "outcome: " << openbook::outcome_name(answer.outcome);
  if (!answer.refusal_reason.empty()) std::cout << ", because " << answer.refusal_reason;
  std::cout << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::cerr << "usage: embed MODEL EMBEDDER ATLAS QUESTION FILE...\n";
    return 2;
  }
  try {
    const auto guard = openbook::Guard::open(
        {.model = argv[1], .embedder = argv[2], .atlas = argv[3], .policy = openbook::Policy::load("cite-or-refuse")});
    std::vector<openbook::Passage> passages;
    for (int i = 5; i < argc; ++i) passages.push_back(read_passage(argv[i]));
    const openbook::Answer answer = guard->ask(argv[4], passages);
    show(answer);
    return answer.outcome == openbook::Outcome::kAnswered ? 0 : 4;
  } catch (const openbook::Error& error) {
    std::cerr << "embed: " << error.what() << "\n" << error.hint() << (error.hint().empty() ? "" : "\n");
    return 1;
  }
}
