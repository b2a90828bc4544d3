#include "guard_flags.h"

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

std::vector<Passage> read_passages(const std::vector<std::string>& files) {
  std::vector<Passage> passages;
  for (const std::string& file : files) {
    retriever::Document document = retriever::load_document(file);
    passages.push_back(whole_document(std::move(document.id), std::move(document.text)));
  }
  return passages;
}

}  // namespace openbook::cli
