#include "report/report_folder.h"

#include <algorithm>

#include "json/parse_json.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"

namespace openbook::attribution {
namespace {

constexpr char kFormat[] = "openbook atlas report part";
constexpr int kVersion = 1;
constexpr char kAtlasKey[] = "report_key";  // in the atlas's provenance
constexpr char kGoOn[] = "Give another --out, or --restart to remove what is there.";

// The first field in which two keys differ, as "seed is 1 there and 2 here".
std::string difference(const Json& there, const Json& here) {
  for (const auto& [field, value] : here.items()) {
    const Json other = there.contains(field) ? there[field] : Json();
    if (other == value) continue;
    if (value.is_object() && other.is_object()) return field + ": " + difference(other, value);
    return field + " is " + other.dump() + " there and " + value.dump() + " here";
  }
  for (const auto& [field, value] : there.items())
    if (!here.contains(field)) return field + " is " + value.dump() + " there and not used here";
  return "they were written in another order";
}

[[noreturn]] void refuse_key(const std::filesystem::path& file, const std::string& why) {
  throw Error(Code::kFailedPrecondition, "atlas report: " + file.string() + " belongs to another report: " + why, kGoOn);
}

[[noreturn]] void refuse_damaged(const std::filesystem::path& file, const std::string& why) {
  throw Error(Code::kDataLoss, "atlas report: " + file.string() + ": " + why, "Remove the file, and the part is made again.");
}

Json envelope_of(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  Json json;
  try {
    json = parse_json<Json>(text, file.string());
  } catch (const Error& error) {
    refuse_damaged(file, std::string("this is no part of an atlas report: ") + error.what());
  }
  if (!json.is_object() || json.value("format", Json()) != kFormat) refuse_damaged(file, "this is no part of an atlas report");
  if (json.value("version", Json()) != kVersion) refuse_key(file, "it has another version of the format");
  if (!json.contains("content") || json.value("sha256", Json()) != sha256_hex(json["content"].dump()))
    refuse_damaged(file, "it was changed: its content has another SHA-256 than it says");
  return json["content"];
}

}  // namespace

ReportFolder::ReportFolder(std::filesystem::path folder, Json key, const std::vector<std::string>& names, bool restart)
    : folder_(std::move(folder)), key_(std::move(key)) {
  std::error_code failed;
  std::filesystem::create_directories(folder_ / "parts", failed);
  if (failed)
    throw Error(Code::kUnavailable,
                "atlas report: can't make the folder " + (folder_ / "parts").string() + ": " + failed.message());
  if (restart) remove_all();
  for (const std::string& name : names) part(name);
  atlas();
}

void ReportFolder::remove_all() const {
  for (const char* file : {"atlas.json", "report.json", "report.html"}) std::filesystem::remove(folder_ / file);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "parts"))
    if (entry.path().extension() == ".json") std::filesystem::remove(entry.path());
}

std::optional<Part> ReportFolder::part(const std::string& name) const {
  const std::filesystem::path file = part_file(name);
  if (!std::filesystem::exists(file)) return std::nullopt;
  const Json content = envelope_of(file);
  if (content["key"] != key_) refuse_key(file, difference(content["key"], key_));
  return Part{.name = content["name"],
              .title = content["title"],
              .left_out = content["left_out"],
              .result = content["result"],
              .made = content["made"]};
}

void ReportFolder::keep(const Part& part) const {
  const Json content = {{"key", key_},           {"name", part.name}, {"title", part.title}, {"left_out", part.left_out},
                        {"result", part.result}, {"made", part.made}};
  const Json envelope = {
      {"format", kFormat}, {"version", kVersion}, {"sha256", sha256_hex(content.dump())}, {"content", content}};
  write_file_atomically(part_file(part.name), envelope.dump(1) + "\n");
}

std::optional<HeadAtlas> ReportFolder::atlas() const {
  const std::filesystem::path file = folder_ / "atlas.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  HeadAtlas atlas = HeadAtlas::load(file);
  const auto marked = atlas.provenance.find(kAtlasKey);
  if (marked == atlas.provenance.end()) refuse_key(file, "it was not made by an atlas report");
  if (marked->second != sha256_hex(key_.dump())) refuse_key(file, "it was built with other data or options");
  return atlas;
}

void ReportFolder::keep(HeadAtlas& atlas) const {
  atlas.provenance[kAtlasKey] = sha256_hex(key_.dump());
  atlas.save(folder_ / "atlas.json");
}

Json hashes_of_files(const std::filesystem::path& folder) {
  Json hashes = Json::object();
  if (folder.empty()) return hashes;
  std::error_code failed;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.is_regular_file()) files.push_back(entry.path());
  if (failed) throw Error(Code::kNotFound, "atlas report: no folder of data " + folder.string() + ": " + failed.message());
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) hashes[file.filename().string()] = sha256_hex(read_file(file));
  return hashes;
}

}  // namespace openbook::attribution
