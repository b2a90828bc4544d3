#include "guard_flags.h"

#include <iostream>
#include <iterator>

#include "openbook/base/hidden_text.h"
#include "openbook/base/utf8.h"
#include "openbook/retriever/document.h"
#include "options.h"

namespace openbook::cli {

void GuardFlags::add_to(CLI::App& verb, bool with_policy) {
  add_place(verb, Place::kModel, model);
  add_place(verb, Place::kEmbedder, embedder);
  add_place(verb, Place::kAtlas, atlas);
  if (with_policy) add_place(verb, Place::kPolicy, policy);
  verb.add_option("--device", device, "cpu, cuda, cuda:N, or auto: CUDA where there is a device")->capture_default_str();
  verb.add_option("--dtype", dtype, "float32, or bfloat16, which is faster")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
}

GuardOptions GuardFlags::options() const {
  GuardOptions options;
  options.model = find(Place::kModel, model).path;
  options.embedder = find(Place::kEmbedder, embedder).path;
  options.atlas = find(Place::kAtlas, atlas).path;
  options.policy = Policy::load(find(Place::kPolicy, policy).path);
  options.device = device;
  options.dtype = dtype;
  return options;
}

void note_hidden_text(const retriever::Document& document) {
  const std::string note = hidden_text_note(document.id, hidden_text(document.text, document.format));
  if (!note.empty()) std::cerr << escape_line(note) << "\n";
}

std::vector<Passage> read_passages(const std::vector<std::string>& files) {
  std::vector<Passage> passages;
  for (const std::string& file : files) {
    const retriever::Document document = retriever::load_document(file);
    retriever::require_document(document);
    std::vector<Passage> seen = visible_passages(document.id, document.text, document.format);
    std::move(seen.begin(), seen.end(), std::back_inserter(passages));
    note_hidden_text(document);
  }
  return passages;
}

}  // namespace openbook::cli
