#include "catalog.h"

namespace openbook::retriever {

void Catalog::put(DocumentRecord document) {
  remove(document.id);
  const auto shared = std::make_shared<const DocumentRecord>(std::move(document));
  by_id_[shared->id] = shared;
  by_first_chunk_[shared->first_chunk] = shared;
  chunk_count_ += shared->chunks.size();
}

void Catalog::remove(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  chunk_count_ -= found->second->chunks.size();
  by_first_chunk_.erase(found->second->first_chunk);
  by_id_.erase(found);
}

const DocumentRecord* Catalog::find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

const DocumentRecord& Catalog::owner(uint64_t chunk_id) const {
  return *std::prev(by_first_chunk_.upper_bound(chunk_id))->second;
}

ChunkRanges Catalog::live() const { return allowed({}); }

ChunkRanges Catalog::allowed(const decltype(SearchOptions::filter)& filter) const {
  ChunkRanges ranges;
  for (const auto& [first, document] : by_first_chunk_)
    if (!filter || filter(document->id, document->metadata)) ranges.push_back({first, first + document->chunks.size()});
  return ranges;
}

}  // namespace openbook::retriever
