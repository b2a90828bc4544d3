// Writes to an index until it is killed: ingest_loop FOLDER FIRST [restless]. Step n touches document n % 5: it is removed when n
// % 9 == 8, else ingested as revision n, in every fourth step together with the next document. A step's number is printed when
// the call has returned. Restless, it flushes after every step and opens the index anew after every seventh, so that files come
// and go as fast as they can.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "openbook/retriever/retriever.h"
#include "retriever/hashing_embedder.h"
#include "retriever/ingest_steps.h"

int main(int argc, char** argv) {
  using namespace openbook;
  if (argc < 3) return 2;
  const bool restless = argc > 3;
  const auto embedder = std::make_shared<const test::HashingEmbedder>();
  auto index = retriever::Retriever::open(argv[1], embedder, retriever::OpenMode::kReadWrite);
  for (int step = std::atoi(argv[2]);; ++step) {
    if (test::step_removes(step))
      index->remove(test::step_document_id(step));
    else
      index->ingest(test::step_documents(step));
    const std::string line = std::to_string(step) + "\n";
    if (write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
    if (restless || step % 4 == 0) index->flush();
    if (!restless || step % 7 != 0) continue;
    index.reset();
    index = retriever::Retriever::open(argv[1], embedder, retriever::OpenMode::kReadWrite);
  }
}
