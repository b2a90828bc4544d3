// libtorch's exceptions become ours once, where the work that failed can be named.
#pragma once

#include <c10/util/Exception.h>

#include <string>

#include "openbook/base/error.h"

namespace openbook::engine {

// Runs `work`; a c10::Error becomes resource_exhausted (out of memory) or internal, with `doing` in front.
template <typename Work>
auto translating_torch_errors(const std::string& doing, Work&& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(Code::kResourceExhausted, doing + ": out of device memory", "Use a smaller context, bfloat16 or the CPU.");
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos)
      throw Error(Code::kResourceExhausted, doing + ": out of memory", "Use a smaller context or bfloat16.");
    throw Error(Code::kInternal, doing + ": " + what.substr(0, what.find('\n')));
  }
}

}  // namespace openbook::engine
