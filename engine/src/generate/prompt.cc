#include "openbook/engine/prompt.h"

#include <utility>

#include "openbook/base/error.h"
#include "openbook/base/language.h"
#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

constexpr std::string_view kDocumentsHeading = "Documents:\n\n";
constexpr std::string_view kAfterPassage = "\n\n", kAfterBarePassage = "\n";
constexpr std::string_view kQuestionHeading = "Question: ";

enum class Kind { kMarkup, kText, kPassage, kAfterPassage, kQuestion, kBegunAnswer };

void require_request(const PromptRequest& request) {
  require_utf8(request.instructions, "instructions");
  require_utf8(request.question, "question");
  for (size_t i = 0; i < request.passages.size(); ++i) {
    const Passage& passage = request.passages[i];
    const std::string name = "passage " + std::to_string(i + 1) + " (" + escape_for_terminal(passage.document_id) + ")";
    require_utf8(passage.text, name);
    if (passage.range.begin < 0 || passage.range.size() != static_cast<int64_t>(passage.text.size()))
      throw Error(Code::kInvalidArgument, name + ": its range [" + std::to_string(passage.range.begin) + ", " +
                                              std::to_string(passage.range.end) + ") does not match its text of " +
                                              std::to_string(passage.text.size()) + " bytes");
  }
}

// English only: in Spanish "Según los documentos," brought nothing (docs/measurements.md, "Begun answers").
std::string_view lead_in(PromptStyle style, std::string_view question) {
  if (language_of(question) != Language::kEnglish) return {};
  return style == PromptStyle::kChat ? "According to the documents," : "As said above,";
}

}  // namespace

const std::string_view kDefaultInstructions =
    "Copy the answer to the question from the documents, word for word. Say that the documents do not answer when they don't.";
const std::string_view kClosedBookInstructions = "Answer shortly.";

// A text that is encoded on its own.
struct PromptBuilder::Segment {
  Kind kind;
  std::string text;
  int32_t passage = -1;  // of kPassage and kAfterPassage
};

Prompt without_lead_in(const Prompt& prompt) {
  Prompt without = prompt;
  without.tokens.resize(prompt.tokens.size() - static_cast<size_t>(prompt.begun_answer.size()));
  without.sources.resize(without.tokens.size());
  without.begun_answer = {};
  return without;
}

std::vector<bool> Prompt::readable() const {
  std::vector<bool> mask(static_cast<size_t>(all_passages.size()));
  for (int64_t i = all_passages.begin; i < all_passages.end; ++i)
    mask[static_cast<size_t>(i - all_passages.begin)] = i > 0 && sources[static_cast<size_t>(i)].passage >= 0;
  return mask;
}

PromptBuilder::PromptBuilder(const Tokenizer& tokenizer, ChatTemplate chat_template)
    : tokenizer_(&tokenizer), template_(std::move(chat_template)) {
  for (const std::string* markup : {&template_.begin, &template_.system_begin, &template_.system_end, &template_.user_begin,
                                    &template_.user_end, &template_.assistant_begin, &template_.assistant_end}) {
    if (markup->empty()) continue;
    const std::vector<Token> tokens = tokenizer.encode(*markup, {.parse_special = true});
    if (tokens.empty() || !tokenizer.is_special(tokens.front().id))
      throw Error(Code::kInvalidArgument,
                  "chat template " + template_.name + " and tokenizer disagree: " + escape_for_terminal(*markup) +
                      " does not begin with a special token",
                  "The model folder mixes files of two models; fetch it again.");
  }
  // Seen on a text that covers bytes, because what stands after it (</s>) must not begin a text that is to be continued.
  for (const Token& token : tokenizer.encode("a", {.add_special = true})) {
    if (!token.bytes.empty()) break;
    added_before_.push_back(token.id);
  }
}

std::vector<PromptBuilder::Segment> PromptBuilder::segments(const PromptRequest& request) const {
  std::vector<Segment> out;
  const bool chat = request.style == PromptStyle::kChat, closed = request.passages.empty();
  const auto add = [&](Kind kind, std::string_view text, int32_t passage = -1) {
    out.push_back({kind, std::string(text), passage});
  };
  if (chat) {
    const std::string_view otherwise = closed ? kClosedBookInstructions : kDefaultInstructions;
    add(Kind::kMarkup, template_.begin);
    add(Kind::kMarkup, template_.system_begin);
    add(Kind::kText, request.instructions.empty() ? otherwise : request.instructions);
    add(Kind::kMarkup, template_.system_end);
    add(Kind::kMarkup, template_.user_begin);
    if (!closed) add(Kind::kText, kDocumentsHeading);
  }
  for (size_t i = 0; i < request.passages.size(); ++i) {
    add(Kind::kPassage, request.passages[i].text, static_cast<int32_t>(i));
    add(Kind::kAfterPassage, chat ? kAfterPassage : kAfterBarePassage, static_cast<int32_t>(i));
  }
  std::string_view words;
  if (request.lead_in && !closed) words = lead_in(request.style, request.question);
  if (chat) {
    if (!closed) add(Kind::kText, kQuestionHeading);
    add(Kind::kQuestion, request.question);
    add(Kind::kMarkup, template_.user_end);
    add(Kind::kMarkup, template_.assistant_begin);
    add(Kind::kBegunAnswer, words);
  } else {
    add(Kind::kText, words);
    add(Kind::kQuestion, (words.empty() ? "" : " ") + request.question);
  }
  return out;
}

std::vector<Token> PromptBuilder::encode(const Segment& segment) const {
  if (segment.text.empty()) return {};
  return tokenizer_->encode(segment.text, {.parse_special = segment.kind == Kind::kMarkup});
}

Prompt PromptBuilder::build(const PromptRequest& request, int64_t max_tokens) const {
  require_request(request);
  if (request.style == PromptStyle::kChat && request.question.empty())
    throw Error(Code::kInvalidArgument, "the question is empty");
  Prompt prompt;
  if (request.style == PromptStyle::kBare) prompt.tokens = added_before_;
  prompt.sources.resize(prompt.tokens.size());
  prompt.passages = request.passages;
  for (const Segment& segment : segments(request)) {
    const auto begin = static_cast<int64_t>(prompt.tokens.size());
    const bool of_passage = segment.kind == Kind::kPassage;
    const int64_t offset = of_passage ? request.passages[segment.passage].range.begin : 0;
    for (const Token& token : encode(segment)) {
      prompt.tokens.push_back(token.id);
      prompt.sources.push_back(of_passage ? TokenSource{segment.passage, {offset + token.bytes.begin, offset + token.bytes.end}}
                                          : TokenSource{});
    }
    const TokenRange range{begin, static_cast<int64_t>(prompt.tokens.size())};
    if (of_passage) prompt.passage_tokens.push_back(range);
    if (segment.kind == Kind::kQuestion) prompt.question_tokens = range;
    if (segment.kind == Kind::kBegunAnswer) prompt.begun_answer = range;
  }
  if (!prompt.passage_tokens.empty())
    prompt.all_passages = {prompt.passage_tokens.front().begin, prompt.passage_tokens.back().end};
  const auto count = static_cast<int64_t>(prompt.tokens.size());
  if (count == 0) throw Error(Code::kInvalidArgument, "there is neither a passage nor a sentence to continue");
  if (max_tokens > 0 && count > max_tokens)
    throw Error(Code::kOutOfRange,
                "the prompt has " + std::to_string(count) + " tokens, more than the " + std::to_string(max_tokens) +
                    " that fit, with " + std::to_string(request.passages.size()) + " passages",
                "Give fewer or shorter passages, or a shorter question.");
  return prompt;
}

std::vector<size_t> PromptBuilder::passages_that_fit(const PromptRequest& request, int64_t max_tokens) const {
  require_request(request);
  int64_t frame = request.style == PromptStyle::kBare ? static_cast<int64_t>(added_before_.size()) : 0;
  std::vector<int64_t> of_passage(request.passages.size());
  for (const Segment& segment : segments(request)) {
    int64_t& count = segment.passage < 0 ? frame : of_passage[segment.passage];
    count += static_cast<int64_t>(encode(segment).size());
  }
  std::vector<size_t> fitting;
  int64_t total = frame;
  for (size_t i = 0; i < of_passage.size(); ++i) {
    if (total + of_passage[i] > max_tokens) continue;
    total += of_passage[i];
    fitting.push_back(i);
  }
  return fitting;
}

}  // namespace openbook::engine
