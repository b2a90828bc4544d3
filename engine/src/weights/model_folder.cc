#include "weights/model_folder.h"

#include "openbook/base/error.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

constexpr char kHint[] =
    "Give a folder as Hugging Face lays it out: config.json, model.safetensors (or shards with their index), tokenizer.json.";

}  // namespace

void require_model_folder(const std::filesystem::path& folder) {
  const std::string where = "model folder " + folder.string() + ": ";
  if (!is_there(folder)) throw Error(Code::kNotFound, where + "is not there", kHint);
  std::error_code unreadable;  // then opening what is in it says why
  if (std::filesystem::is_directory(folder, unreadable) || unreadable) return;
  if (folder.extension() == ".gguf")
    throw Error(Code::kUnimplemented, where + "is a GGUF file, which is not read directly",
                "openbook's source makes a folder of a Llama's: build/venv/bin/python engine/tools/convert_gguf.py " +
                    folder.string() + " FOLDER");
  throw Error(Code::kInvalidArgument, where + "is a file", kHint);
}

}  // namespace openbook::engine
