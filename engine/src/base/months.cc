#include "months.h"

#include <algorithm>
#include <array>

namespace openbook {
namespace {

// Whole names first, then short forms; "" where a month has none. Spellings that differ between countries share a month's cell.
struct MonthNames {
  Language language;
  std::array<std::string_view, 12> names, short_names, others;
};

constexpr std::array kMonths = {
    MonthNames{Language::kEnglish,
               {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
                "december"},
               {"jan", "feb", "mar", "apr", "", "jun", "jul", "aug", "sept", "oct", "nov", "dec"},
               {"", "", "", "", "", "", "", "", "sep", "", "", ""}},
    MonthNames{Language::kSpanish,
               {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
                "diciembre"},
               {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"},
               {"", "", "", "", "", "", "", "", "setiembre", "", "", ""}},
    MonthNames{
        Language::kGerman,
        {"januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"},
        {"jan", "feb", "mrz", "apr", "", "jun", "jul", "aug", "sept", "okt", "nov", "dez"},
        {"jänner", "feber", "mär", "", "", "", "", "", "sep", "", "", ""}},
    MonthNames{
        Language::kFrench,
        {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
        {"janv", "févr", "", "avr", "", "", "juil", "", "sept", "oct", "nov", "déc"},
        {"", "fév", "", "", "", "", "", "aout", "", "", "", ""}},
    MonthNames{Language::kItalian,
               {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre",
                "novembre", "dicembre"},
               {"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"},
               {}},
    MonthNames{Language::kPortuguese,
               {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro",
                "dezembro"},
               {"jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"},
               {}},
    MonthNames{Language::kDutch,
               {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
                "december"},
               {"jan", "feb", "mrt", "apr", "", "jun", "jul", "aug", "sept", "okt", "nov", "dec"},
               {"", "", "", "", "", "", "", "", "sep", "", "", ""}},
};

int place_in(const std::array<std::string_view, 12>& names, std::string_view word) {
  const auto found = std::find(names.begin(), names.end(), word);
  return found == names.end() ? 0 : static_cast<int>(found - names.begin()) + 1;
}

}  // namespace

int month_in(std::string_view folded, Language language) {
  if (folded.empty()) return 0;
  const Language read_as = language == Language::kUnknown ? Language::kEnglish : language;
  const auto months = std::find_if(kMonths.begin(), kMonths.end(), [&](const MonthNames& m) { return m.language == read_as; });
  for (const auto* names : {&months->names, &months->short_names, &months->others})
    if (const int month = place_in(*names, folded)) return month;
  return 0;
}

int month_in_any_language(std::string_view folded) {
  if (folded.empty()) return 0;
  for (const MonthNames& months : kMonths)
    if (const int month = place_in(months.names, folded)) return month;
  return 0;
}

bool begins_month(std::string_view folded) {
  return std::any_of(kMonths.begin(), kMonths.end(), [&](const MonthNames& months) {
    return std::any_of(months.names.begin(), months.names.end(),
                       [&](std::string_view name) { return name.size() > folded.size() && name.starts_with(folded); });
  });
}

}  // namespace openbook
