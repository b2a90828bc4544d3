// Tells the OpenMP runtime that libtorch and FAISS share, and OpenBLAS, how to wait: briefly.
//
// libgomp's threads spin for milliseconds before they sleep, OpenBLAS's as well. On a machine that does something else, too, that
// takes the processor from whoever has work: what takes a second on an idle machine took half a minute. A thousand spins (some
// 50 us) bridge the gaps between the parallel loops of a decoded token, and decoding is as fast as ever on an idle machine;
// without any spinning it would lose a quarter of its speed.
//
// Both read the environment when they are loaded, before any code of the program runs, and have no other way to be told. So a
// program that links this answers their getenv() itself: with what the environment holds, and with these defaults where it holds
// nothing. The dynamic linker gives a program's own function to all libraries.
#include <cstdlib>
#include <cstring>
#include <string_view>

extern char** environ;

namespace {

char* from_environment(std::string_view name) {
  if (environ == nullptr) return nullptr;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, name.data(), name.size()) == 0 && (*entry)[name.size()] == '=') return *entry + name.size() + 1;
  return nullptr;
}

char kSpins[] = "1000", kNoThreads[] = "1";  // OpenBLAS multiplies nothing here: libtorch does

}  // namespace

extern "C" char* getenv(const char* name) noexcept {
  if (char* value = from_environment(name)) return value;
  // Whoever chose a policy for waiting gets it.
  if (std::strcmp(name, "GOMP_SPINCOUNT") == 0 && from_environment("OMP_WAIT_POLICY") == nullptr) return kSpins;
  if (std::strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return kNoThreads;
  return nullptr;
}
