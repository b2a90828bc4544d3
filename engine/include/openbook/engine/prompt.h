// Joins instructions, passages and question into tokens, and remembers where every passage token came from.
//
// Every text is encoded on its own, so that a passage's tokens and byte ranges do not depend on its neighbours. Documents,
// questions and instructions are encoded with special-token parsing off: a document that holds <|im_end|> cannot end its turn.
//
// Thread-safe: a builder is immutable. A Prompt is immutable by custom and belongs to its request.
//
//   const PromptBuilder builder(model->tokenizer(), read_chat_template(model->folder()));
//   const Prompt prompt = builder.build({.passages = passages, .question = "How many days of leave?"},
//   model->config().max_positions); prompt.sources[i].range;  // bytes of the stored document that prompt token i covers
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/passage.h"
#include "openbook/base/span.h"
#include "openbook/engine/chat_template.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

// Where a prompt token stands in a document.
struct TokenSource {
  int32_t passage = -1;  // index into the prompt's passages; -1 for markup, instructions and question
  ByteSpan range;        // bytes of the stored document (Passage::range.begin already added)
};

enum class PromptStyle {
  kChat,  // the model's chat template with instructions
  kBare,  // passages, then the text to be continued; no instructions, no template (paper, section 1.1)
};

struct PromptRequest {
  std::string instructions;       // system message; empty = kDefaultInstructions (kChat only)
  std::vector<Passage> passages;  // may be empty (closed book)
  std::string question;           // kChat: the question. kBare: the sentence to be continued
  PromptStyle style = PromptStyle::kChat;
  // Where there are passages, words of no content that lead to them, if the question is English: the first
  // words of the answer, which the model goes on from ("According to the documents,"), or of the sentence to be continued
  // ("As said above,"). Behind them a model follows its documents more often (docs/measurements.md, "Begun answers").
  bool lead_in = true;
};

extern const std::string_view kDefaultInstructions;     // use only the documents, say so when they don't answer
extern const std::string_view kClosedBookInstructions;  // when there are no passages

struct Prompt {
  std::vector<TokenId> tokens;
  std::vector<TokenSource> sources;        // one per token
  std::vector<Passage> passages;           // those that are in the prompt, in order
  std::vector<TokenRange> passage_tokens;  // one per passage
  TokenRange all_passages;                 // from the first passage token to past the last; empty when there is none
  TokenRange question_tokens;              // the question's own tokens
  TokenRange begun_answer;                 // the answer's lead-in, last of all; empty when it has none
  // The first position after the passages' text: edits act from here on.
  int64_t first_after_passages() const { return all_passages.end; }

  std::span<const TokenId> passage_ids() const {
    return std::span(tokens).subspan(static_cast<size_t>(all_passages.begin), static_cast<size_t>(all_passages.size()));
  }

  // [all_passages]: whether the token belongs to a passage and is not the prompt's first, an attention sink that says nothing
  // about reading.
  std::vector<bool> readable() const;
};

// The prompt without the answer's lead-in.
Prompt without_lead_in(const Prompt& prompt);

class PromptBuilder {
 public:
  // `tokenizer` must outlive the builder. Throws invalid_argument when the template's markers are no special tokens of the
  // tokenizer.
  PromptBuilder(const Tokenizer& tokenizer, ChatTemplate chat_template);

  // Throws invalid_argument when a text is not UTF-8, a passage's text does not match its range's size, or there is nothing to
  // ask or continue; out_of_range when the prompt is longer than `max_tokens` (0: no limit), naming both counts: never a silent
  // cut.
  Prompt build(const PromptRequest& request, int64_t max_tokens = 0) const;

  // By index, the passages whose prompt fits into `max_tokens`: each in its turn, when it fits beside those taken before it, so
  // that one long passage does not keep out what follows. Empty when none fits beside the question.
  std::vector<size_t> passages_that_fit(const PromptRequest& request, int64_t max_tokens) const;

  const ChatTemplate& chat_template() const { return template_; }

 private:
  struct Segment;
  std::vector<Segment> segments(const PromptRequest& request) const;
  std::vector<Token> encode(const Segment& segment) const;

  const Tokenizer* tokenizer_;
  ChatTemplate template_;
  std::vector<TokenId> added_before_;  // what the tokenizer's post-processor puts before a text; kBare begins with it
};

}  // namespace openbook::engine
