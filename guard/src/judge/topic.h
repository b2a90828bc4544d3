// Does a passage, or a sentence of it, speak of what the question asks?
//
// The subject of a question are the names and numbers in it, else its rarest other words. A name is a run of capitalised words
// ("University of New Mexico"); of several names those with the rarest words count, and each must be held whole: names that
// differ in one word are different subjects. They are looked for in the section of the
// sentence (from a heading to the next), the headings above it and the document's file name.
//
// A sentence is on topic when its section holds the subject and it has one of the rarest words itself or is close to the question
// by the embedder. Only a question without names goes by closeness alone: the embedder puts a neighbour's sentence ("The
// University of Washington is located in ...") as near as the right one.
//
// How rare a word is comes from the tokenizer: byte-pair merges are learnt in order of frequency, so log(id) falls on frequent
// words and a rare word is several tokens (Zipf's law makes log rank the surprisal up to a constant).
//
// Embeddings are made on demand and kept. Not thread-safe: one per request.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/embedder.h"
#include "openbook/base/passage.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::guard {

struct SentencePlace {
  int32_t passage;
  ByteSpan range;  // in the document
};

class Topic {
 public:
  // All references must outlive this. `close` is the cosine from which a sentence counts as close to the question
  // (HeadAtlas::topic_similarity).
  Topic(std::string_view question, const std::vector<Passage>& passages, const engine::Tokenizer& tokenizer,
        const Embedder& embedder, double close);

  struct Subject {                                // words are folded
    std::vector<std::vector<std::string>> names;  // each of them has to be held
    std::vector<std::string> rarest;              // any of them makes a sentence of such a section on topic
    bool named = false;                           // `names` are names or numbers
  };
  struct Section {
    ByteSpan bytes;  // of the passage's text
    bool holds_subject;
  };

  const Subject& subject() const { return subject_; }

  bool sentence_on_topic(int32_t passage, ByteSpan sentence_in_document) const;
  // What steering draws attention to. A heading says what its sentences speak of and is no sentence itself: headings come only
  // where there is nothing else.
  std::vector<SentencePlace> sentences_on_topic() const;

 private:
  std::vector<double> similarities(const std::vector<std::string>& sentences) const;  // cosine with the question

  const std::vector<Passage>* passages_;
  const Embedder* embedder_;
  double close_;
  std::string question_;
  Subject subject_;
  std::vector<std::vector<Section>> sections_;  // per passage
  mutable std::vector<float> question_vector_;
  mutable std::map<std::string, double, std::less<>> similarities_;  // by sentence
};

// The sentence of `passage` that holds `source` (both in document bytes); the whole line of a list or a heading counts as one.
ByteSpan sentence_around(const Passage& passage, ByteSpan source);

}  // namespace openbook::guard
