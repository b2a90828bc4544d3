// The key of a provenance log: made once, kept in a file that only its owner can read, never used itself but to derive others.
//
// File: one line, "openbook-log-key 1 " and 64 hex digits. From these 32 bytes HKDF makes a key for records, one for the head,
// and the key id, so that a MAC of one place is never valid in another and the id betrays nothing. Everything secret is wiped
// when it goes. Thread-safe once made.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/hmac.h"

namespace openbook::provenance {

class LogKey {
 public:
  // Makes the file, mode 0600. Throws failed_precondition when something is there already, a symbolic link included; not_found
  // without its folder.
  static LogKey create(const std::filesystem::path& file);

  // Throws failed_precondition (missing, a symbolic link, not a plain file, of another owner, open to others), data_loss (not a
  // key).
  static LogKey load(const std::filesystem::path& file);

  const std::string& id() const { return id_; }  // 16 hex digits
  const std::filesystem::path& file() const { return file_; }
  Mac mac_record(std::string_view body) const { return hmac_sha256(records_.bytes(), body); }
  Mac mac_head(std::string_view body) const { return hmac_sha256(head_.bytes(), body); }

 private:
  LogKey(const Secret& root, std::filesystem::path file);

  Secret records_;
  Secret head_;
  std::string id_;
  std::filesystem::path file_;
};

// The keys that a log is opened with.
struct LogKeys {
  std::optional<LogKey> newest;  // what is written goes under it
  std::vector<LogKey> old;       // from before the key was changed: to verify alone
  std::string refused;           // why there is none, or why one that was named is not here

  const LogKey* find(std::string_view id) const;  // nullptr when no file held it
  bool empty() const { return !newest && old.empty(); }
};

// Throws invalid_argument when the key lies in the log's folder, symbolic links followed: whoever copies the folder must not get
// the key with it.
void require_key_outside(const std::filesystem::path& key_file, const std::filesystem::path& folder);

}  // namespace openbook::provenance
