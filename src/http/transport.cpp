#include "http/transport.hpp"

#include <algorithm>

namespace chandler::http {

std::string_view Head::header(std::string_view name) const {
  const auto found =
      std::ranges::find(headers, name, [](const auto& h) -> std::string_view { return h.first; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace chandler::http
