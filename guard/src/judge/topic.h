// Does a passage, or a sentence of it, speak of what the question asks?
//
// The subject of a question are the names and numbers in it, else its rarest other words. A name is a run of capitalised words
// ("University of New Mexico"); of several names those with the rarest words count, and each must be held whole: names that
// differ in one word are different subjects. They are looked for in the section of the
// sentence (from a heading to the next), the headings above it and the document's file name.
//
// A sentence is on topic when its section holds the subject and it has one of the rarest words itself or is close to the question
// by the embedder. Only a question without names goes by closeness alone, of the sentence by itself or under its headings: the
// embedder puts a neighbour's sentence ("The University of Washington is located in ...") as near as the right one.
//
// On topic is not yet an answer: a document about Hawaii says much that nobody asked. How well a sentence answers is
//   cosine(question, sentence) + close * share of the question's other words (by rarity) that it holds,
// since the right sentence is near the question or repeats what is asked ("capital"), mostly both.
//
// How rare a word is comes from the tokenizer: byte-pair merges are learnt in order of frequency, so log(id) falls on frequent
// words and a rare word is several tokens (Zipf's law makes log rank the surprisal up to a constant).
//
// Embeddings are made on demand and kept. Not thread-safe: one per request.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"
#include "openbook/base/passage.h"
#include "openbook/engine/tokenizer.h"
#include "openbook/guard/answer.h"
#include "text/question.h"
#include "text/read_passage.h"

namespace openbook::guard {

struct SentencePlace {
  int32_t passage;
  ByteSpan range;  // in the document
};

class Topic {
 public:
  // All references must outlive this. `close` is the cosine from which a sentence counts as close to the question
  // (HeadAtlas::topic_similarity). `cancellation`, which may be null, is looked at between embeddings; what it throws comes out
  // of every method that needs one.
  Topic(const Question& question, const std::vector<ReadPassage>& passages, const engine::Tokenizer& tokenizer,
        const Embedder& embedder, double close, const Cancellation* cancellation = nullptr);

  struct Subject {                                // words are folded
    std::vector<std::vector<std::string>> names;  // each of them has to be held
    std::vector<std::string> rarest;              // any of them makes a sentence of such a section on topic
    bool named = false;                           // `names` are names or numbers
  };
  struct Section {
    ByteSpan bytes;     // of the passage's text
    std::string above;  // file name and headings over it, as a reader would say them
    bool holds_subject;
  };

  const Subject& subject() const { return subject_; }

  bool sentence_on_topic(int32_t passage, ByteSpan sentence_in_document) const;
  // Whether two places stand under the same headings of one document.
  bool in_one_section(const Source& a, const Source& b) const;
  // A heading says what its sentences speak of and is no sentence itself: headings come only where there is nothing else.
  std::vector<SentencePlace> sentences_on_topic() const;

  // Those of the sentences that answer best: what steering draws attention to.
  std::vector<SentencePlace> closest_of(const std::vector<SentencePlace>& sentences) const;
  // Whether a sentence on topic says what the question asks for, and not something else about its subject.
  bool answers(std::string_view sentence) const;
  // Whether the words stand in a sentence on topic that answers.
  bool answer_holds(std::span<const TextWord> words) const;
  // Whether the word stands in front of the sentence: in its section, in the headings above or in the document's name.
  bool stands_above(int32_t passage, ByteSpan sentence_in_document, const TextWord& word) const;

 private:
  struct AskedWord {
    std::string word;  // folded
    double share;      // of all of them, by rarity
  };

  std::vector<double> similarities(const std::vector<std::string>& sentences) const;  // cosine with the question
  double how_well_answers(std::string_view sentence) const;
  const Section& section_of(int32_t passage, int64_t byte) const;

  const Passage& passage_at(int32_t index) const { return passages_->at(static_cast<size_t>(index)).passage(); }

  const Question* question_;
  const std::vector<ReadPassage>* passages_;
  const Embedder* embedder_;
  double close_;
  const Cancellation* cancellation_;
  Subject subject_;
  std::vector<AskedWord> asked_;                // what is asked of the subject: the words that are no names
  std::vector<std::vector<Section>> sections_;  // per passage
  mutable std::vector<float> question_vector_;
  mutable std::map<std::string, double, std::less<>> similarities_;  // by sentence
};

}  // namespace openbook::guard
