// Walks a whole log and says whether it is what was written.
//
// What is found and what can't be: docs/provenance-log.md.
#pragma once

#include <string>
#include <vector>

#include "log/log_key.h"
#include "log/log_store.h"
#include "openbook/guard/provenance_log.h"

namespace openbook::provenance {

// Without a key (nullptr) what can be seen without is still checked; a log that looks right is then unverifiable because of
// `no_key_reason`.
LogReport verify_log(const LogStore& store, const LogKey* key, const std::string& no_key_reason,
                     const std::vector<LogReceipt>& expect);

}  // namespace openbook::provenance
