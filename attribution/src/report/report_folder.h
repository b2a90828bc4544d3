// The folder of an atlas report: parts that are whole or not there, and a key that says what their numbers depend on
// (docs/atlas.md has the layout).
//
// Not thread-safe, and meant for one process at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/head_atlas.h"
#include "report/experiment.h"

namespace openbook::attribution {

struct Part {
  std::string name, title;
  bool left_out = false;  // nothing could be done; the next run tries again
  Json result;            // what the experiment gave
  Json made;              // date, device, seconds: what differs between two runs of one report
};

class ReportFolder {
 public:
  // `key` holds what the numbers depend on. Throws failed_precondition when a part or the atlas in `folder` was made with another
  // key, naming the field; data_loss when a part is not what was written. With `restart` both are removed instead, and so is the
  // old report.
  ReportFolder(std::filesystem::path folder, Json key, const std::vector<std::string>& names, bool restart);

  std::optional<Part> part(const std::string& name) const;
  void keep(const Part& part) const;

  std::optional<HeadAtlas> atlas() const;
  void keep(HeadAtlas& atlas) const;  // marks it with the key

  const std::filesystem::path& path() const { return folder_; }

 private:
  void remove_all() const;
  std::filesystem::path part_file(const std::string& name) const { return folder_ / "parts" / (name + ".json"); }

  std::filesystem::path folder_;
  Json key_;
};

// SHA-256 of every file that stands in `folder` itself, by name; an empty object for an empty path. Throws not_found.
Json hashes_of_files(const std::filesystem::path& folder);

}  // namespace openbook::attribution
