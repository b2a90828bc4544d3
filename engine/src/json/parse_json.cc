#include "json/parse_json.h"

#include <vector>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

constexpr char kHint[] = "The file may be cut short, damaged or another one: fetch or make it again.";

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, what, kHint); }

// The keys that lead to the value that is being parsed; "" for a level that is a list.
class Path {
 public:
  void enter(int depth, std::string key) {
    keys_.resize(static_cast<size_t>(depth - 1));
    keys_.push_back(std::move(key));
  }
  void leave(int depth) { keys_.resize(std::min(keys_.size(), static_cast<size_t>(depth))); }
  std::string spelled() const {
    std::string path;
    for (const std::string& key : keys_)
      if (!key.empty()) path += (path.empty() ? "" : ".") + key;
    return escape_line(path);
  }

 private:
  std::vector<std::string> keys_;
};

}  // namespace

template <typename Json>
Json parse_json(std::string_view text, const std::string& where,
                const std::function<void(int depth, const std::string& key)>& each_key) {
  Path path;
  const auto watch = [&](int depth, typename Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        if (depth >= kDeepestJson) refuse(where + ": nested deeper than " + std::to_string(kDeepestJson) + " levels");
        break;
      case Json::parse_event_t::key: {
        const auto& key = parsed.template get_ref<const std::string&>();
        if (each_key) each_key(depth, key);
        path.enter(depth, key);
        break;
      }
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        path.leave(depth);
        break;
      case Json::parse_event_t::value:
        break;
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const typename Json::parse_error& error) {
    refuse(where + ": not JSON from byte " + std::to_string(error.byte) + " of " + std::to_string(text.size()));
  } catch (const typename Json::out_of_range&) {
    refuse(where + ": \"" + path.spelled() + "\" holds a number that is too large");
  }
}

template nlohmann::json parse_json(std::string_view, const std::string&, const std::function<void(int, const std::string&)>&);
template nlohmann::ordered_json parse_json(std::string_view, const std::string&,
                                           const std::function<void(int, const std::string&)>&);

}  // namespace openbook
