// vectors.faiss. The input is what follows generation and embedder, which are put before it here with the right checksum. An
// input that begins with the separator is a whole file.
#include "dense_index.h"
#include "fuzz.h"
#include "openbook/base/hash.h"
#include "record.h"

namespace {

constexpr int64_t kDimension = 2;

std::string with_header(std::string_view rows) {
  using namespace openbook;
  const std::string content = retriever::RecordWriter().number(7).string("embedder").take() + std::string(rows);
  const Sha256Digest digest = sha256(content);
  return "openbook vectors 2\n" + std::string(digest.begin(), digest.end()) + content;
}

}  // namespace

void openbook::fuzz::run(std::string_view input) {
  const auto path = file("vectors.faiss", input.starts_with('\x1E') ? std::string(input.substr(1)) : with_header(input));
  const retriever::ChunkRanges live = {{1, 3}};
  const auto index = retriever::DenseIndex::load(path, kDimension, 7, "embedder", live);
  require(index->rows() >= 2, "every live chunk is there");
  index->search(std::vector<float>(kDimension, 0.5f), 3, live);
  index->drop_dead(live);
  require(index->search(std::vector<float>(kDimension, 0.5f), 3, live).size() <= 2, "no more is found than is there");
}
