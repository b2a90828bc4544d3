#include "versions.h"

#include <faiss/Index.h>
#include <openssl/crypto.h>
#include <rocksdb/version.h>
#include <torch/version.h>

namespace openbook::cli {

std::vector<std::pair<std::string, std::string>> part_versions() {
  const std::string faiss =
      std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." + std::to_string(FAISS_VERSION_PATCH);
  return {{"libtorch", TORCH_VERSION},
          {"FAISS", faiss},
          {"RocksDB", rocksdb::GetRocksVersionAsString()},
          {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)}};
}

}  // namespace openbook::cli
