// FAISS and libtorch both bring a BLAS, and a program has one sgemm_: the first that the linker saw.
#include <dlfcn.h>

#include "base/test_support.h"

namespace openbook {
namespace {

TEST(Blas, LibtorchMultipliesWithItsOwnThoughFaissBringsAnother) {
  void* multiply = dlsym(RTLD_DEFAULT, "sgemm_");
  ASSERT_NE(multiply, nullptr);
  Dl_info library{};
  ASSERT_NE(dladdr(multiply, &library), 0);
  EXPECT_NE(std::string(library.dli_fname).find("libtorch_cpu"), std::string::npos) << library.dli_fname;
}

}  // namespace
}  // namespace openbook
