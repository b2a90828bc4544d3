// One search over an open index: ranks by words, vectors or both, and reads the passages. A text that several chunks have under
// the same title and heading counts once in each half's ranking, so that copies of a document push nothing else out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.h"
#include "corpus.h"
#include "dense_index.h"
#include "lexical_index.h"
#include "openbook/base/lines.h"
#include "openbook/base/passage.h"

namespace openbook::retriever {

// Which must outlive the search and not change during it.
struct SearchGround {
  const Catalog& catalog;
  const Corpus& corpus;
  const LexicalIndex& lexical;
  const DenseIndex* dense;  // null in a search by words only
};

class PassageSearch {
 public:
  PassageSearch(SearchGround ground, const SearchOptions& options);

  // `query` is the question's vector; empty in a search by words only.
  std::vector<Passage> run(std::string_view question, const std::vector<float>& query);

 private:
  struct Read {
    std::string text;
    std::vector<Line> lines;
  };

  std::vector<Hit> rank(std::string_view question, const std::vector<float>& query);
  std::vector<Hit> distinct(const std::function<std::vector<Hit>(size_t depth)>& ranking, size_t limit);
  const Read& read(const DocumentRecord& document);
  TextKey key_of(uint64_t chunk_id);
  Passage passage(const Hit& hit);
  std::vector<std::string> other_holders(const Passage& passage, const TextKey& key) const;

  const SearchGround ground_;
  const SearchOptions& options_;
  const ChunkRanges allowed_;
  std::map<TextKey, uint64_t> first_of_;  // the chunk that stands for all with its text: the first that was ranked
  std::map<Sha256Digest, Read> reads_;
};

}  // namespace openbook::retriever
