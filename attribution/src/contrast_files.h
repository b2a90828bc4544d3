// Reads the two files of the contrast set, checking every line. Formats: attribution/data/README.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "openbook/attribution/contrast_set.h"

namespace openbook::attribution {

inline constexpr std::string_view kSubject = "{subject}", kObject = "{object}";

std::string replaced(std::string text, std::string_view placeholder, std::string_view value);

std::vector<Relation> parse_relations(const std::string& json, const std::string& file);
std::vector<Fact> parse_facts(const std::string& tsv, const std::string& file, const std::vector<Relation>& relations);

}  // namespace openbook::attribution
