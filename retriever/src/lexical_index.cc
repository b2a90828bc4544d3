#include "lexical_index.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "openbook/base/error.h"
#include "postings.h"

namespace openbook::retriever {
namespace {

constexpr double kK1 = 1.2;
constexpr double kB = 0.75;

}  // namespace

void LexicalIndex::add(uint64_t first_chunk, const std::vector<uint64_t>& lengths, std::string_view postings,
                       std::string_view what) {
  const size_t first_row = ids_.size();
  for (size_t chunk = 0; chunk < lengths.size(); ++chunk) {
    ids_.push_back(first_chunk + chunk);
    lengths_.push_back(static_cast<uint32_t>(lengths[chunk]));
  }
  for_each_posting(postings, what, [&](std::string_view term, uint64_t chunk, uint64_t count) {
    if (chunk >= lengths.size() || count > lengths[chunk])
      throw Error(Code::kDataLoss, std::string(what) + ": its word counts don't fit its chunks",
                  "Restore the index folder from a copy, or ingest the documents into a new one.");
    auto list = postings_.find(term);
    if (list == postings_.end()) list = postings_.emplace(std::string(term), std::vector<Posting>()).first;
    list->second.push_back({static_cast<uint32_t>(first_row + chunk), static_cast<uint32_t>(count)});
  });
}

const std::vector<LexicalIndex::Posting>* LexicalIndex::postings_of(std::string_view term) const {
  const auto list = postings_.find(term);
  return list == postings_.end() ? nullptr : &list->second;
}

std::vector<Hit> LexicalIndex::search(std::string_view question, size_t limit, const ChunkRanges& allowed) const {
  const RowMask mask(ids_, allowed);
  double total_length = 0;
  for (size_t row = 0; row < ids_.size(); ++row)
    if (mask.holds(row)) total_length += lengths_[row];
  const double average = std::max(1.0, total_length / static_cast<double>(std::max<size_t>(1, mask.rows)));

  std::vector<double> scores(ids_.size());
  const std::vector<std::string> words = index_terms(question);
  for (const std::string& term : std::set<std::string>(words.begin(), words.end())) {
    const auto* postings = postings_of(term);
    if (!postings) continue;
    const auto holding = std::count_if(postings->begin(), postings->end(), [&](const Posting& p) { return mask.holds(p.row); });
    const double idf = std::log(1 + (static_cast<double>(mask.rows) - static_cast<double>(holding) + 0.5) /
                                        (static_cast<double>(holding) + 0.5));
    for (const Posting& posting : *postings) {
      if (!mask.holds(posting.row)) continue;
      const double count = posting.count;
      scores[posting.row] += idf * count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * lengths_[posting.row] / average));
    }
  }
  std::vector<Hit> hits;
  for (size_t row = 0; row < scores.size(); ++row)
    if (scores[row] > 0) hits.push_back({ids_[row], scores[row]});
  const auto better = [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.chunk_id < b.chunk_id; };
  const size_t kept = std::min(limit, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(kept), hits.end(), better);
  hits.resize(kept);
  return hits;
}

void LexicalIndex::drop_dead(const ChunkRanges& live) {
  const RowMask mask(ids_, live);
  std::vector<uint32_t> new_row(ids_.size());
  uint32_t kept = 0;
  for (size_t row = 0; row < ids_.size(); ++row) {
    if (!mask.holds(row)) continue;
    ids_[kept] = ids_[row];
    lengths_[kept] = lengths_[row];
    new_row[row] = kept++;
  }
  ids_.resize(kept);
  lengths_.resize(kept);
  for (auto list = postings_.begin(); list != postings_.end();) {
    std::erase_if(list->second, [&](const Posting& posting) { return !mask.holds(posting.row); });
    for (Posting& posting : list->second) posting.row = new_row[posting.row];
    list = list->second.empty() ? postings_.erase(list) : std::next(list);
  }
}

}  // namespace openbook::retriever
