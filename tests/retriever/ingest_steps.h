// What ingest_loop does in its step n, known to the test that kills it too.
#pragma once

#include <string>
#include <vector>

#include "openbook/retriever/document.h"

namespace openbook::test {

inline std::string step_document_id(int step) { return "document-" + std::to_string(step % 5); }
inline bool step_removes(int step) { return step % 9 == 8; }

inline retriever::Document step_document(int step) {
  std::string text;
  for (int line = 0; line < 60; ++line)
    text += "Line " + std::to_string(line) + " of revision" + std::to_string(step) + " stands here, with some words to fill it. ";
  return {.id = step_document_id(step), .text = text, .format = "text", .metadata = {}};
}

// What step n ingests in one batch: every fourth step brings the next step's document along.
inline std::vector<retriever::Document> step_documents(int step) {
  std::vector<retriever::Document> documents = {step_document(step)};
  if (step % 4 == 1) documents.push_back(step_document(step + 1));
  return documents;
}

}  // namespace openbook::test
