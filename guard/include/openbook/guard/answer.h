// What the guard says of an answer: words with verdicts, claims, citations, sentences with what was done, and a trace of what was
// tried.
//
// All byte ranges are half-open UTF-8 ranges; `answer` ranges point into Answer::text, source ranges into the stored document.
// Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/passage.h"
#include "openbook/base/span.h"

namespace openbook {

enum class Verdict {
  kCopied,     // read from the passages
  kRecited,    // spoken from the weights
  kNeutral,    // a word without content or punctuation; or a word of the question in a sentence with a copied claim
  kUnchecked,  // between the thresholds, or not checkable: never reads as clean
};
std::string_view verdict_name(Verdict verdict);

enum class Support {
  kSupported,       // copied, from a sentence on topic, and the quote matches
  kCopiedOffTopic,  // the word was read, but in a place that does not speak of the question
  kUnsupported,     // anything else
};
std::string_view support_name(Support support);

struct TokenRecord {
  int32_t id = 0;
  ByteSpan answer;                // bytes of this token in Answer::text
  std::vector<float> evidence;    // one per probe head, in logits (attribution/evidence.h)
  double probability_copied = 0;  // calibrated
  bool edited = false;            // head edits were in force when it was chosen
};

struct Source {
  int32_t passage = 0;  // index into Answer::passages
  ByteSpan range;       // bytes of the stored document

  bool operator==(const Source&) const = default;
};

struct Word {
  ByteSpan answer;
  int32_t first_token = 0, tokens = 0;  // into Answer::tokens
  Verdict verdict = Verdict::kUnchecked;
  double probability_copied = 0;  // of the first token
  std::optional<Source> place;    // where the localizer saw it read
};

struct Claim {  // a maximal run of words that are neither neutral nor binding (docs/glossary.md)
  ByteSpan answer;
  int32_t first_word = 0, words = 0;      // into Answer::words
  Verdict verdict = Verdict::kUnchecked;  // the worst of its words
  double score = 0;                       // the minimum over its words' first tokens
  Support support = Support::kUnsupported;
  std::optional<Source> source;       // where its own words stand; nothing without a citation
  std::optional<double> causal_nats;  // log p(claim | passages) - log p(claim | the cited sentence removed), unedited; nothing
                                      // when it was not measured
  bool causal = false;                // causal_nats above the atlas's threshold
  std::optional<int32_t> citation;    // into Answer::citations
};

// One source sentence that a clause of the answer rests on, for people to look up.
struct Citation {
  ByteSpan answer;  // from its first claim to the end of the clause
  std::string document_id;
  std::string document_sha256;
  ByteSpan source;            // the quote, in the document: the shortest run that holds the words of all its claims
  ByteSpan sentence;          // the sentence that holds it
  int64_t line = 0;           // of the quote's first byte, from 1; 0: not known (a passage from the middle of a document that no
                              // store has)
  std::string quote;          // the bytes of `source`, re-read from the store where there is one
  std::string sentence_text;  // the bytes of `sentence`
  std::string cell;           // of a table: its row and column heads, "Merlin XL / Weight"; else empty
  std::optional<double> causal_nats;  // the most of its claims'; nothing when none was measured
  bool causal = false;                // some claim is causal
};

// Another passage that was read contradicts a cited sentence in one number, day or name.
struct Conflict {
  int32_t citation = 0;       // into Answer::citations
  std::string said;           // as the cited sentence writes it: "2.8"
  std::string other;          // as the other one does: "3.1"
  int32_t passage = 0;        // index into Answer::passages: where the other one stands
  ByteSpan sentence;          // the other sentence, in its document
  std::string sentence_text;  // its bytes
};

enum class Delivery {
  kDelivered,  // shown without marks
  kFlagged,    // shown, with recited or unchecked words marked
  kRefused,    // held back
};
std::string_view delivery_name(Delivery delivery);

struct Sentence {
  ByteSpan answer;
  Delivery delivery = Delivery::kDelivered;
  bool steered = false;  // said under head edits, then re-checked without
  bool quoted = false;   // stands in a passage word for word
  std::string reason;    // why it is flagged or refused; empty when delivered
};

// One thing that was tried on the way, in order: "decode", "prove", "steer", "cut", "refuse"; "read" for a sentence that is
// checked.
//
// What was said is kept with its whole judgement, shown or not, so that a stored answer can be ruled again under another policy.
// All ranges count from the first byte, token, word and citation of the attempt.
struct Attempt {
  std::string what;
  std::string text;     // what the model said; empty when it was not asked
  std::string outcome;  // e.g. "recited: \"Oslo\""
  std::string lacks;    // what it lacks as an answer's first sentence, e.g. "asks a question"; empty: nothing
  std::vector<TokenRecord> tokens;
  std::vector<Word> words;
  std::vector<Claim> claims;
  std::vector<Citation> citations;
};

enum class Outcome { kAnswered, kRefused, kAbstained };  // kAbstained: the model itself said that the documents do not answer
std::string_view outcome_name(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::kRefused;
  std::string text;            // what is delivered; the policy's refusal text when refused
  std::string refusal_reason;  // empty unless refused
  std::vector<TokenRecord> tokens;
  std::vector<Word> words;
  std::vector<Claim> claims;
  std::vector<Citation> citations;
  std::vector<Sentence> sentences;
  std::vector<Conflict> conflicts;  // with what is cited
  std::vector<Passage> passages;    // those in the prompt
  size_t passages_left_out = 0;     // found, but the prompt had no room
  std::vector<std::string> documents_left_out;  // of those passages, each once
  std::string lead_in;  // what the model was given to go on from ("According to the documents,"), unless it was steered
  std::vector<Attempt> trace;
  std::string model_fingerprint, atlas_fingerprint, policy_fingerprint;
  uint64_t index_generation = 0;  // of the open index; 0: there is none
  std::string log_id;             // of this answer in the provenance log; empty without a log
  std::string log_receipt;        // of its last record: keep it, it finds a log that was rolled back
};

// One JSON object with everything above, under the names that the provenance log has too (docs/provenance-log.md). What is not
// UTF-8 becomes U+FFFD.
std::string to_json(const Answer& answer);

}  // namespace openbook
