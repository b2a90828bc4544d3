// Documents made ready to be stored: cut, embedded and their words counted. The slow part of an ingest, which needs no lock.
#pragma once

#include <string>
#include <vector>

#include "corpus.h"
#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"

namespace openbook::retriever {

struct PreparedDocument {
  DocumentRecord record;       // but for first_chunk, which is given when it is stored
  std::vector<float> vectors;  // row-major [chunks, dimension]
  std::string postings;
};

struct ToPrepare {
  const Document* document;
  Sha256Digest sha256;
};

// The chunks of all of them are embedded together, a batch at a time: small documents fill one only together. A chunk is embedded
// with its title and nearest heading (context_above); its words are counted, and its text and range stay, without them. On
// docs_qa that places 87 right documents first, against 83 with headings in both and 85 in neither. Throws cancelled between
// batches of chunks, and internal when the embedder returns what it shouldn't.
std::vector<PreparedDocument> prepare(const std::vector<ToPrepare>& documents, const Embedder& embedder,
                                      const ChunkerOptions& chunking, const Cancellation* cancellation);

}  // namespace openbook::retriever
