#include "openbook/engine/prompt.h"

#include <utility>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

constexpr std::string_view kDocumentsHeading = "Documents:\n\n";
constexpr std::string_view kAfterPassage = "\n\n";
constexpr std::string_view kQuestionHeading = "Question: ";

enum class Kind { kMarkup, kText, kPassage, kAfterPassage, kQuestion };

void require_request(const PromptRequest& request) {
  require_utf8(request.instructions, "instructions");
  require_utf8(request.question, "question");
  require_utf8(request.answer_prefix, "answer so far");
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

}  // namespace

const std::string_view kDefaultInstructions =
    "Copy the answer to the question from the documents, word for word. Say that the documents do not answer when they don't.";
const std::string_view kClosedBookInstructions = "Answer shortly.";

// A text that is encoded on its own.
struct PromptBuilder::Segment {
  Kind kind;
  std::string_view text;
  int32_t passage = -1;  // of kPassage and kAfterPassage
};

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
  const bool chat = request.style == PromptStyle::kChat;
  if (chat) {
    const std::string_view otherwise = request.passages.empty() ? kClosedBookInstructions : kDefaultInstructions;
    out.push_back({Kind::kMarkup, template_.begin});
    out.push_back({Kind::kMarkup, template_.system_begin});
    out.push_back({Kind::kText, request.instructions.empty() ? otherwise : request.instructions});
    out.push_back({Kind::kMarkup, template_.system_end});
    out.push_back({Kind::kMarkup, template_.user_begin});
    if (!request.passages.empty()) out.push_back({Kind::kText, kDocumentsHeading});
  }
  for (size_t i = 0; i < request.passages.size(); ++i) {
    out.push_back({Kind::kPassage, request.passages[i].text, static_cast<int32_t>(i)});
    out.push_back({Kind::kAfterPassage, kAfterPassage, static_cast<int32_t>(i)});
  }
  if (chat && !request.passages.empty()) out.push_back({Kind::kText, kQuestionHeading});
  out.push_back({Kind::kQuestion, request.question});
  if (chat) {
    out.push_back({Kind::kMarkup, template_.user_end});
    out.push_back({Kind::kMarkup, template_.assistant_begin});
  }
  out.push_back({Kind::kText, request.answer_prefix});
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

size_t PromptBuilder::passages_that_fit(const PromptRequest& request, int64_t max_tokens) const {
  require_request(request);
  int64_t frame = request.style == PromptStyle::kBare ? static_cast<int64_t>(added_before_.size()) : 0;
  std::vector<int64_t> of_passage(request.passages.size());
  for (const Segment& segment : segments(request)) {
    int64_t& count = segment.passage < 0 ? frame : of_passage[segment.passage];
    count += static_cast<int64_t>(encode(segment).size());
  }
  size_t fitting = 0;
  for (int64_t total = frame; fitting < of_passage.size() && (total += of_passage[fitting]) <= max_tokens;) ++fitting;
  return fitting;
}

}  // namespace openbook::engine
