// Walks a whole log and says whether it is what was written.
//
// What is found and what can't be: docs/provenance-log.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/log_format.h"
#include "log/log_key.h"
#include "log/log_store.h"
#include "openbook/guard/provenance_log.h"

namespace openbook::provenance {

enum class Seal { kGood, kBad, kUnknownKey };
// Whether the record's MACs are those of its keys, as far as they are there; a change of key (`rotation`) has two, and either
// proves it.
Seal seal_of(const Record& record, const std::optional<Rotation>& rotation, const LogKeys& keys);

// Without a key what can be seen without is still checked. A log that looks right, but not all of which is under the keys at
// hand, is unverifiable, and the finding says what is missing.
LogReport verify_log(const LogStore& store, const LogKeys& keys, const std::vector<LogReceipt>& expect);

// The hash of all records (records_hash). Throws data_loss when the log is broken.
Sha256Digest hash_of_whole_log(const LogStore& store, const LogKeys& keys);

}  // namespace openbook::provenance
