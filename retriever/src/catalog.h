// The current documents of an open index, in memory: by id, and by the chunks they own.
//
// Reads are thread-safe beside each other, not beside a change.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chunk_ranges.h"
#include "corpus.h"
#include "openbook/retriever/retriever.h"

namespace openbook::retriever {

class Catalog {
 public:
  void put(DocumentRecord document);
  void remove(const std::string& id);

  const DocumentRecord* find(const std::string& id) const;  // null: there is none
  const DocumentRecord& owner(uint64_t chunk_id) const;     // of a chunk of a current document
  const std::map<std::string, std::shared_ptr<const DocumentRecord>>& by_id() const { return by_id_; }
  size_t chunk_count() const { return chunk_count_; }

  ChunkRanges live() const;
  ChunkRanges allowed(const decltype(SearchOptions::filter)& filter) const;  // an empty filter allows all

 private:
  std::map<std::string, std::shared_ptr<const DocumentRecord>> by_id_;
  std::map<uint64_t, std::shared_ptr<const DocumentRecord>> by_first_chunk_;
  size_t chunk_count_ = 0;
};

}  // namespace openbook::retriever
