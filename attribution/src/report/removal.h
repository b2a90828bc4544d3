// Heads taken out of a model: in which orders, and what is left of its answers.
//
// A removed head's z is 0 at every position, as in Kahardipraja et al. 2025, where attention weights are set to 0 after the
// softmax and nothing is renormalised. Every combination of heads and prompt is a row of a batch with gains of its own, so that a
// sweep fills the device.
//
// Not thread-safe where a Laboratory is taken. Errors: those of BatchSession; cancelled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report/experiment.h"
#include "spread.h"

namespace openbook::attribution {

using HeadSet = std::vector<engine::HeadId>;

// Sets of heads to remove, each of them once whatever order it is given in.
class RemovalList {
 public:
  size_t add(HeadSet heads);  // its index
  const std::vector<HeadSet>& sets() const { return sets_; }

 private:
  std::map<HeadSet, size_t> index_;
  std::vector<HeadSet> sets_;
};

// Float32 [removed.size(), layers, heads] on the model's device: 0 where a row's heads are, 1 elsewhere.
at::Tensor gains_without(const engine::Model& model, const std::vector<const HeadSet*>& removed);

struct HeadOrder {
  std::string name;   // "in_context", "retrieval", "task", "parametric", "least", or "random 1", ...
  std::string color;  // of the report
  HeadSet heads;      // every head of the model, the first to go first
};

// By the atlas's scores: in-context and parametric from either end of the difference score, least relevant by the sum of the
// difference's absolute value, task and retrieval score. Then `random_orders` shuffles.
std::vector<HeadOrder> removal_orders(const HeadAtlas& atlas, int64_t random_orders, uint64_t seed);
HeadSet first_of(const HeadSet& order, int64_t count);

// A fact asked for in one way.
enum class Book {
  kOwn,       // the subject's document with a counterfactual object: right is the document's answer
  kOriginal,  // the same document with the true object: both sources give the answer
  kBare,      // own, without instructions, as a sentence to be continued
  kClosed,    // no document: right is memory's answer
};
std::string book_name(Book book);

struct RemovalTrial {
  int32_t fact = 0;  // index into ContrastSet::facts
  Book book = Book::kOwn;
  std::string subject;
  std::vector<engine::TokenId> prompt;
  std::string document_answer;
  std::vector<std::string> memory_answers;
  // With all heads the right answer is given under every other wording of the question, each time with a first token that is
  // likelier than all others together.
  bool firm = false;

  bool right(const std::string& said) const;
  bool answered(const std::string& said) const;  // either answer
  // Of accuracy, from one answer to another: 100, 0, or -100 where the second is right and the first was not.
  double points_lost(const std::string& before, const std::string& after) const;
};

// Those that the model knows, of relations of these splits: up to `most`, spread over the relations; 0: all.
std::vector<int32_t> known_facts(const Laboratory& lab, const std::vector<Split>& splits, int64_t most = 0);

// Each of these facts in every one of `books`, asked in a wording by which it was not found to be known. What the model answers
// under one wording only is lost by any change, the removal of random heads too, and says nothing about where memory sits: that
// is what `firm` is for. Chosen by the answer that is then measured instead, a fact could only lose.
std::vector<RemovalTrial> removal_trials(const Laboratory& lab, const std::vector<int32_t>& facts,
                                         const std::vector<Book>& books);

// Throws failed_precondition, saying what would do, where no trial of the book is firm.
void require_firm(const std::vector<RemovalTrial>& trials, Book book, const std::string& relations);

// What the model says of every trial without each of `removals`: greedy, up to 20 tokens or where an answer was given.
// [removal][trial].
std::vector<std::vector<std::string>> say_without(const Laboratory& lab, const std::vector<RemovalTrial>& trials,
                                                  const std::vector<HeadSet>& removals, const std::string& stage);

// The token that followed some text.
struct NextToken {
  std::vector<engine::TokenId> tokens;
  engine::TokenId next = 0;
};
NextToken first_answer_token(const ObservedCase& observed);  // of an answer that was given

// log p(next token) without each of `removals`: float32 [removals, cases] on the CPU.
at::Tensor log_probability_without(const Laboratory& lab, const std::vector<NextToken>& cases,
                                   const std::vector<HeadSet>& removals, const std::string& stage);

// Up to `most` of the observed cases of these facts that gave the answer in that setting, spread over them.
std::vector<const ObservedCase*> given_cases(const Laboratory& lab, const std::vector<int32_t>& facts, Setting setting,
                                             GivenAnswer given, int64_t most);

}  // namespace openbook::attribution
